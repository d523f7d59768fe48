"""The decode loop: prompts enter free slots at any step, finished rows leave at once, the batch stays full."""

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from lgt_assets.engines.base import Completion, Request
from lgt_assets.engines.hf_model import LoadedModel
from lgt_assets.engines.hf_prompts import Prompt, positions
from lgt_assets.engines.hf_sampling import ChoiceTokens, bad_word_tokens, banned_tokens, choose_tokens
from lgt_assets.engines.hf_slots import ROW_MULTIPLE, SlotCache
from lgt_assets.engines.stop_strings import StopScanner, cut_at_stop

if TYPE_CHECKING:
    import torch

_KEPT_PREFILLS = 2
_KEPT_CHOICES = 64


@dataclass(frozen=True)
class _Prefill:
    """What the network made of a prompt; the samples of one prompt share it."""

    states: list[tuple["torch.Tensor", "torch.Tensor"]]
    logits: "torch.Tensor"
    position_delta: int


@dataclass
class _Row:
    """One request being decoded."""

    key: str
    request: Request
    prompt_tokens: int
    cached_tokens: int
    position_delta: int
    limit: int
    bad_words: list[list[int]]
    choice: ChoiceTokens | None
    started: float = field(default_factory=time.monotonic)
    written: list[int] = field(default_factory=list)

    @property
    def column(self) -> int:
        """Where the last written token's keys and values go."""
        return self.prompt_tokens + len(self.written) - 1


class DecodeLoop:
    """Decodes up to ``batch_size`` requests at a time, each from its own seed; results do not depend on neighbours."""

    def __init__(self, model: LoadedModel, batch_size: int, batch_tokens: int | None = None) -> None:
        self._model = model
        self._batch_size = batch_size
        self._batch_tokens = batch_tokens
        self._cache = SlotCache(batch_size)
        self._rows: list[_Row] = []
        self._prefills: OrderedDict[object, _Prefill] = OrderedDict()
        # of a function, not of a method: in a circle with this loop, its cache would stay until the collector comes by
        self._decode = partial(decoded, model.tokenizer)
        self._scanner = StopScanner(self._decode)
        self._bad_words: dict[tuple[str, ...], list[list[int]]] = {}
        self._choices: OrderedDict[tuple[str, ...], ChoiceTokens] = OrderedDict()

    @property
    def busy(self) -> bool:
        """Whether any row is being decoded."""
        return bool(self._rows)

    def has_room(self, request: Request, prompt: Prompt) -> bool:
        """Whether the request can enter now: a slot is free, and the token budget holds with it."""
        if not self._rows:
            return True
        longest = max(self._columns(row.prompt_tokens, row.limit) for row in self._rows)
        longest = max(longest, self._columns(len(prompt.token_ids), self._limit(request, prompt)))
        tokens_fit = self._batch_tokens is None or (len(self._rows) + 1) * longest <= self._batch_tokens
        return len(self._rows) < self._batch_size and tokens_fit

    def admit(self, key: str, request: Request, prompt: Prompt) -> list[Completion]:
        """Read the prompt and choose its first token; a completion comes back at once if that ends it."""
        import torch

        with torch.inference_mode():
            shared = prompt.shared_key in self._prefills
            prefill = self._prefill(prompt)
            row = _Row(
                key=key,
                request=request,
                prompt_tokens=len(prompt.token_ids),
                cached_tokens=len(prompt.token_ids) if shared else 0,
                position_delta=prefill.position_delta,
                limit=self._limit(request, prompt),
                bad_words=self._bad_word_tokens(request.sampling.bad_words),
                choice=self._choice_tokens(request.sampling.choice),
            )
            self._cache.reserve(self._columns(row.prompt_tokens, row.limit))
            self._cache.fill(len(self._rows), prefill.states)
            self._rows.append(row)
            return self._advance([row], prefill.logits)

    def step(self) -> list[Completion]:
        """Write one token in every row; the completions of rows that ended with it.

        Nothing is written where it raises, so that the rows can be asked again from their start.
        """
        import torch

        with torch.inference_mode():
            return self._advance(list(self._rows), self._forward())

    def _forward(self) -> "torch.Tensor":
        """Logits (rows, vocabulary) after each row's last token; idle slots make the row count a multiple of 16."""
        import torch

        device = self._model.device
        idle = -len(self._rows) % ROW_MULTIPLE
        tokens = torch.tensor([row.written[-1] for row in self._rows] + [0] * idle, device=device)[:, None]
        columns = torch.tensor([row.column for row in self._rows] + [0] * idle, device=device)
        offsets = torch.tensor([row.position_delta for row in self._rows] + [0] * idle, device=device)
        length = max(row.column for row in self._rows) + 1
        self._cache.write_at(columns, length)
        hidden = torch.arange(length, device=device)[None] > columns[:, None]
        mask = torch.zeros(hidden.shape, dtype=self._model.network.dtype, device=device).masked_fill_(
            hidden, -torch.inf
        )
        position_ids = (columns + offsets)[:, None]
        if hasattr(self._model.network.model, "get_rope_index"):
            position_ids = position_ids[None].expand(3, -1, -1)
        output = self._model.network(
            input_ids=tokens,
            attention_mask=mask[:, None, None],
            position_ids=position_ids,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return output.logits[: len(self._rows), -1]

    def _prefill(self, prompt: Prompt) -> _Prefill:
        """Read a prompt alone, so that the sums of its products do not depend on other prompts' lengths."""
        import torch

        kept = self._prefills.get(prompt.shared_key)
        if kept is not None:
            return kept
        device, network = self._model.device, self._model.network
        position_ids, delta = positions(self._model, prompt)
        pictures = {}
        if prompt.images:
            pictures = {
                "pixel_values": torch.cat([image.patches for image in prompt.images]).to(device),
                "image_grid_thw": torch.stack([image.grid for image in prompt.images]).to(device),
            }
        ids = torch.tensor([prompt.token_ids], device=device)
        output = network(input_ids=ids, position_ids=position_ids, use_cache=True, logits_to_keep=1, **pictures)
        states = [(layer.keys, layer.values) for layer in output.past_key_values.layers]
        prefill = _Prefill(states, output.logits[:, -1], delta)
        self._prefills[prompt.shared_key] = prefill
        if len(self._prefills) > _KEPT_PREFILLS:
            self._prefills.popitem(last=False)
        return prefill

    def _advance(self, rows: list[_Row], logits: "torch.Tensor") -> list[Completion]:
        tokens = choose_tokens(
            logits,
            [row.request.sampling for row in rows],
            [row.request.seed for row in rows],
            [len(row.written) for row in rows],
            [banned_tokens(row.bad_words, row.written) if row.bad_words else () for row in rows],
            [None if row.choice is None else row.choice.after(row.written) for row in rows],
        )
        completions = []
        for row, token in zip(rows, tokens, strict=True):
            row.written.append(token)
            completion = self._finished(row, token)
            if completion is not None:
                completions.append(completion)
                self._leave(row)
        return completions

    def _finished(self, row: _Row, token: int) -> Completion | None:
        sampling = row.request.sampling
        if token in self._model.end_token_ids:
            return self._completion(row, self._decode(row.written[:-1]), "stop")
        if self._scanner.may_complete(token, sampling.stop):
            cut = cut_at_stop(self._decode(row.written), sampling.stop, sampling.include_stop)
            if cut is not None:
                return self._completion(row, cut, "stop")
        if len(row.written) >= row.limit:
            return self._completion(row, self._decode(row.written), "length")
        return None

    def _completion(self, row: _Row, text: str, finish_reason: str) -> Completion:
        return Completion(
            request_key=row.key,
            text=text,
            finish_reason=finish_reason,
            prompt_tokens=row.prompt_tokens,
            cached_tokens=row.cached_tokens,
            completion_tokens=len(row.written),
            seconds=time.monotonic() - row.started,
        )

    def _leave(self, row: _Row) -> None:
        """Close the gap with the last row; rows keep their texts whatever slot they are in."""
        slot, last = self._rows.index(row), len(self._rows) - 1
        if slot != last:
            mover = self._rows[last]
            self._cache.move(last, slot, mover.prompt_tokens + len(mover.written))
            self._rows[slot] = mover
        self._rows.pop()

    def _limit(self, request: Request, prompt: Prompt) -> int:
        return min(request.sampling.max_tokens, self._model.context - len(prompt.token_ids))

    @staticmethod
    def _columns(prompt_tokens: int, limit: int) -> int:
        return prompt_tokens + limit

    def _bad_word_tokens(self, words: tuple[str, ...]) -> list[list[int]]:
        if words not in self._bad_words:
            self._bad_words[words] = bad_word_tokens(self._model.tokenizer, words)
        return self._bad_words[words]

    def _choice_tokens(self, choice: tuple[str, ...]) -> ChoiceTokens | None:
        if not choice:
            return None
        if choice not in self._choices:
            self._choices[choice] = ChoiceTokens(self._model.tokenizer, choice, self._model.end_token_ids)
            if len(self._choices) > _KEPT_CHOICES:
                self._choices.popitem(last=False)
        return self._choices[choice]


def decoded(tokenizer: Any, token_ids: list[int]) -> str:
    """The text of written tokens."""
    return tokenizer.decode(token_ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
