"""Choosing the next token of each row of a batch, with noise that belongs to the row and not to the batch.

Sampling is Gumbel-max: argmax of logits / temperature + Gumbel noise. The noise of a row is a function of its request's
seed, the step and the token alone, so that neighbours and order change nothing.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from lgt_assets.engines.base import Sampling

if TYPE_CHECKING:
    import torch

_MULTIPLIERS = (-0x61C8864680B583EB, -0x40A7B892E31B1A47, -0x6B2FB644ECCEEE15)  # splitmix64's, as signed 64-bit


def gumbel_noise(seeds: "torch.Tensor", steps: "torch.Tensor", vocabulary: int) -> "torch.Tensor":
    """Standard Gumbel noise by counter (splitmix64, Steele et al. 2014).

    Args:
        seeds: (rows,) int64, each request's seed.
        steps: (rows,) int64, index of the token to choose.
        vocabulary: tokens to choose from.

    Returns:
        (rows, vocabulary) float32; equal (seed, step, token) give equal noise in every batch.
    """
    import torch

    counters = torch.arange(vocabulary, dtype=torch.int64, device=seeds.device)
    rows = _mixed(_mixed(seeds) + steps)
    bits = _mixed(rows[:, None] + counters[None])
    uniform = bits.bitwise_and_(0xFFFFFFFF).to(torch.float32).add_(0.5).mul_(2.0**-32).clamp_(max=1 - 2.0**-24)
    # -log1p(-u) keeps its precision where it matters: small waiting times are the likely winners
    return uniform.neg_().log1p_().neg_().log_().neg_()


def _mixed(values: "torch.Tensor") -> "torch.Tensor":
    """splitmix64's finalizer; int64 wraps around, and shifts are made logical by masking. Gives a new tensor."""
    step, first, second = _MULTIPLIERS
    mixed = values * step
    mixed += step
    mixed ^= (mixed >> 30).bitwise_and_((1 << 34) - 1)
    mixed *= first
    mixed ^= (mixed >> 27).bitwise_and_((1 << 37) - 1)
    mixed *= second
    mixed ^= (mixed >> 31).bitwise_and_((1 << 33) - 1)
    return mixed


def choose_tokens(
    logits: "torch.Tensor",
    samplings: Sequence[Sampling],
    seeds: Sequence[int],
    steps: Sequence[int],
    banned: Sequence[Sequence[int]],
    allowed: Sequence[Sequence[int] | None] = (),
) -> list[int]:
    """The next token of each row.

    Args:
        logits: (rows, vocabulary), any float type; left as they are.
        samplings: each row's temperature (0: greedy), top_k and top_p.
        seeds: each row's seed.
        steps: how many tokens each row has written so far.
        banned: token ids that a row must not choose now.
        allowed: the only token ids that a row may choose now, or None where it is free; empty: all rows are.

    Returns:
        One token id a row.
    """
    import torch

    scores = logits.to(torch.float32, copy=True)  # a prompt's logits are shared by its samples
    for row, tokens in enumerate(banned):
        if tokens:
            scores[row, list(tokens)] = -torch.inf
    for row, tokens in enumerate(allowed):
        if tokens is not None:
            kept = scores[row, list(tokens)]
            scores[row] = -torch.inf
            scores[row, list(tokens)] = kept
    drawn = [row for row, sampling in enumerate(samplings) if sampling.temperature > 0]
    if not drawn:
        return scores.argmax(-1).tolist()
    index = torch.tensor(drawn, device=scores.device)
    temperatures = torch.tensor([samplings[row].temperature for row in drawn], device=scores.device)
    noisy = _truncated(scores[index] / temperatures[:, None], [samplings[row] for row in drawn])
    noisy = noisy + gumbel_noise(
        torch.tensor([seeds[row] for row in drawn], device=scores.device),
        torch.tensor([steps[row] for row in drawn], device=scores.device),
        scores.shape[-1],
    )
    scores[index] = noisy
    return scores.argmax(-1).tolist()


def _truncated(scores: "torch.Tensor", samplings: Sequence[Sampling]) -> "torch.Tensor":
    """Top-k, then top-p (the fewest likeliest tokens whose probabilities reach top_p), row by row as asked."""
    import torch

    vocabulary = scores.shape[-1]
    if all((sampling.top_k <= 0 or sampling.top_k >= vocabulary) and sampling.top_p >= 1 for sampling in samplings):
        return scores
    ordered, order = torch.sort(scores, dim=-1, descending=True, stable=True)
    top_k = torch.tensor(
        [sampling.top_k if sampling.top_k > 0 else vocabulary for sampling in samplings], device=scores.device
    )
    top_p = torch.tensor([sampling.top_p for sampling in samplings], device=scores.device)
    ordered = ordered.masked_fill(torch.arange(vocabulary, device=scores.device)[None] >= top_k[:, None], -torch.inf)
    probabilities = torch.softmax(ordered, dim=-1)
    before = probabilities.cumsum(-1) - probabilities
    ordered = ordered.masked_fill((before >= top_p[:, None]) & (top_p < 1)[:, None], -torch.inf)
    return torch.full_like(scores, -torch.inf).scatter(-1, order, ordered)


def bad_word_tokens(tokenizer: Any, words: Sequence[str]) -> list[list[int]]:
    """Each bad word as token sequences, at the start of a text and after a space.

    vLLM leaves out the latter where it has another number of tokens, and lets such a word through; this does not.
    """
    sequences: list[list[int]] = []
    for word in words:
        plain = tokenizer.encode(word.lstrip(), add_special_tokens=False)
        spaced = tokenizer.encode(" " + word.lstrip(), add_special_tokens=False)
        sequences.append(plain)
        if spaced != plain:
            sequences.append(spaced)
    return [sequence for sequence in sequences if sequence]


def banned_tokens(sequences: Sequence[Sequence[int]], written: Sequence[int]) -> list[int]:
    """Tokens that would complete a bad word after the tokens ``written`` so far."""
    return [
        sequence[-1]
        for sequence in sequences
        if len(sequence) == 1
        or (len(written) >= len(sequence) - 1 and list(written[1 - len(sequence) :]) == list(sequence[:-1]))
    ]


class ChoiceTokens:
    """The texts a completion may be, as token sequences; says which tokens may come next.

    Args:
        tokenizer: encodes each text as the model would write it.
        choices: the texts.
        end_tokens: end a turn; allowed once a text is complete.
    """

    def __init__(self, tokenizer: Any, choices: Sequence[str], end_tokens: Iterable[int]) -> None:
        self._sequences = [tokenizer.encode(choice, add_special_tokens=False) for choice in choices]
        self._end_tokens = sorted(end_tokens)

    def after(self, written: Sequence[int]) -> list[int]:
        """Token ids that may follow the tokens ``written`` so far."""
        size, start = len(written), list(written)
        open_sequences = [sequence for sequence in self._sequences if sequence[:size] == start]
        following = {sequence[size] for sequence in open_sequences if len(sequence) > size}
        complete = any(len(sequence) == size for sequence in open_sequences)
        return sorted(following | set(self._end_tokens if complete else ()))
