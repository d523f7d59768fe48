"""Choosing tokens: the distribution is right, and the noise is the row's own."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgt_assets.engines.base import Sampling
from lgt_assets.engines.hf_sampling import ChoiceTokens, banned_tokens, choose_tokens, gumbel_noise

torch = pytest.importorskip("torch")


def test_draws_follow_the_softmax() -> None:
    logits = torch.tensor([2.0, 1.0, 0.0, -1.0])
    draws = 20_000
    chosen = choose_tokens(
        logits.repeat(draws, 1), [Sampling(temperature=1.0)] * draws, range(draws), [0] * draws, [()] * draws
    )
    shares = torch.bincount(torch.tensor(chosen), minlength=4) / draws
    assert torch.allclose(shares, torch.softmax(logits, 0), atol=0.015)


def test_noise_is_gumbel() -> None:
    noise = gumbel_noise(torch.arange(200), torch.zeros(200, dtype=torch.int64), 1000)
    assert abs(noise.mean().item() - 0.5772) < 0.01
    assert abs(noise.var().item() - 1.6449) < 0.03
    assert torch.isfinite(noise).all()
    assert torch.unique(noise).numel() > 0.99 * noise.numel()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 4000)), min_size=1, max_size=6), st.randoms())
def test_noise_of_a_row_does_not_depend_on_the_batch(rows: list[tuple[int, int]], random: object) -> None:
    seeds, steps = (torch.tensor(column) for column in zip(*rows, strict=True))
    together = gumbel_noise(seeds, steps, 33)
    for row, (seed, step) in enumerate(rows):
        assert torch.equal(gumbel_noise(torch.tensor([seed]), torch.tensor([step]), 33)[0], together[row])


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(-5, 5), min_size=2, max_size=12), st.integers(0, 5), st.floats(0.05, 1.0), st.integers(0, 1000)
)
def test_top_k_and_top_p_keep_the_likeliest(scores: list[float], top_k: int, top_p: float, seed: int) -> None:
    logits = torch.tensor([scores])
    chosen = choose_tokens(logits, [Sampling(temperature=1.0, top_k=top_k, top_p=top_p)], [seed], [3], [()])[0]
    likelier = logits[0] > logits[0, chosen]
    if top_k:
        assert likelier.sum() < top_k
    kept = torch.sort(logits[0], descending=True).values[: top_k or None]
    assert torch.softmax(kept, 0)[: int(likelier.sum())].sum() < top_p + 1e-5


def test_greedy_and_sampled_rows_share_a_batch_and_bans_hold() -> None:
    logits = torch.tensor([[0.0, 5.0, 4.0], [0.0, 5.0, 4.0], [0.0, 5.0, 4.0]])
    samplings, before = [Sampling(), Sampling(), Sampling(temperature=1.0, top_k=1)], logits.clone()
    assert choose_tokens(logits, samplings, [1, 2, 3], [0, 0, 0], [(), (1,), ()]) == [1, 2, 1]
    assert torch.equal(logits, before)


def test_a_row_keeps_to_what_it_may_choose() -> None:
    logits, samplings = torch.tensor([[0.0, 5.0, 4.0]] * 3), [Sampling(), Sampling(), Sampling(temperature=1.0)]
    assert choose_tokens(logits, samplings, [1, 2, 3], [0] * 3, [()] * 3, [None, [0, 2], [0]]) == [1, 2, 0]


def test_choices_are_followed_token_by_token() -> None:
    class Letters:
        def encode(self, text: str, add_special_tokens: bool) -> list[int]:
            return [ord(letter) for letter in text]

    tokens = ChoiceTokens(Letters(), ["no", "not", "yes"], {0})
    assert tokens.after([]) == [ord("n"), ord("y")]
    assert tokens.after([ord("n"), ord("o")]) == [0, ord("t")]
    assert tokens.after([ord(letter) for letter in "yes"]) == [0]


def test_banned_only_where_the_word_would_be_completed() -> None:
    assert banned_tokens([[7], [1, 2, 3]], [1, 2]) == [7, 3]
    assert banned_tokens([[1, 2, 3]], [2]) == []
    assert banned_tokens([[1, 2, 3]], [9, 1, 2]) == [3]
