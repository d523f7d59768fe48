"""From a request to what the network reads: token ids, pixels and the three-way positions of Qwen-VL."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lgt_assets.engines.base import ImageReference, Message, Request
from lgt_assets.engines.hf_model import LoadedModel
from lgt_assets.engines.image_bytes import ImageUnreadable, RecentImages, open_picture

if TYPE_CHECKING:
    import torch

_RECENT_IMAGES = 64


class PromptUnusable(Exception):
    """A request that this model cannot take; the engine turns it into that request's failure."""


@dataclass(frozen=True)
class Pixels:
    """One prepared picture: ``patches`` (patches, values per patch) and its ``grid`` (time, height, width) in patches."""

    patches: "torch.Tensor"
    grid: "torch.Tensor"


@dataclass(frozen=True)
class Prompt:
    """A prompt as token ids with visual placeholders already expanded; ``shared_key`` is equal for equal prompts."""

    token_ids: list[int]
    images: list[Pixels] = field(default_factory=list)
    shared_key: object = None


def chat(messages: tuple[Message, ...], prefix: str) -> list[dict[str, Any]]:
    """Messages as chat templates expect them: pictures before the text; the prefix as a last, unfinished assistant turn."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        pictures = [{"type": "image"} for _image in message.images]
        content = [*pictures, {"type": "text", "text": message.text}] if pictures else message.text
        turns.append({"role": message.role, "content": content})
    return [*turns, {"role": "assistant", "content": prefix}] if prefix else turns


class PromptEncoder:
    """Encodes requests for one model; the last prompt and the last 64 pictures are kept for their neighbours."""

    def __init__(self, model: LoadedModel) -> None:
        self._model = model
        self._pixels: RecentImages[Pixels] = RecentImages(_RECENT_IMAGES)
        self._last: Prompt | None = None

    def encode(self, request: Request) -> Prompt:
        """The prompt of ``request``; requests of the same messages and prefix share one object.

        Raises:
            PromptUnusable: a picture cannot be read, the text holds the picture placeholder, or the prompt is too long.
        """
        shared_key = (request.messages, request.prefix)
        if self._last is None or self._last.shared_key != shared_key:
            self._last = self._encode(request, shared_key)
        return self._last

    def _encode(self, request: Request, shared_key: object) -> Prompt:
        try:
            images = [self._prepare(image) for message in request.messages for image in message.images]
        except ImageUnreadable as error:
            raise PromptUnusable(str(error)) from error
        token_ids = self._expand(self._tokens(request), images)
        if len(token_ids) >= self._model.context:
            raise PromptUnusable(
                f"the prompt has {len(token_ids)} tokens and leaves no room in the model's {self._model.context}; "
                "shorten it, lower max_pixels, or take a model with a longer context"
            )
        return Prompt(token_ids, images, shared_key)

    def _tokens(self, request: Request) -> list[int]:
        tokenizer = self._model.tokenizer
        try:
            text = tokenizer.apply_chat_template(
                chat(request.messages, request.prefix),
                tokenize=False,
                add_generation_prompt=not request.prefix,
                continue_final_message=bool(request.prefix),
            )
        except ValueError as error:
            raise PromptUnusable(f"the model's chat template cannot render the prompt: {error}") from error
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    def _expand(self, token_ids: list[int], images: list[Pixels]) -> list[int]:
        """Repeat each placeholder as often as its picture has visual tokens, as the model's own processor does."""
        placeholder = self._model.image_token_id
        found = token_ids.count(placeholder) if placeholder >= 0 else 0
        if found != len(images):
            raise PromptUnusable(
                f"the rendered prompt has {found} picture placeholders for {len(images)} pictures: a text contains the "
                "placeholder itself, or the model or its chat template takes no pictures"
            )
        counts = iter([int(image.grid.prod()) // self._model.merged_patches for image in images])
        expanded: list[int] = []
        for token in token_ids:
            expanded.extend([token] * next(counts) if token == placeholder else [token])
        return expanded

    def _prepare(self, image: ImageReference) -> Pixels:
        if self._model.image_processor is None:
            raise PromptUnusable(
                "the prompt shows a picture, but the model has no vision; bind the role to a model that sees"
            )
        pixels = self._pixels.get(image.sha256)
        if pixels is None:
            picture = open_picture(image)
            try:
                features = self._model.image_processor(images=[picture], return_tensors="pt")
            except ValueError as error:
                raise ImageUnreadable(f"picture {image.uri} cannot be prepared: {error}") from error
            pixels = Pixels(features["pixel_values"], features["image_grid_thw"][0])
            self._pixels.put(image.sha256, pixels)
        return pixels


def positions(model: LoadedModel, prompt: Prompt) -> tuple["torch.Tensor", int]:
    """Position ids of a prompt and how far a text position runs behind its column.

    Returns:
        ids of shape (3, 1, tokens) for models with Qwen-VL's three-way positions, else (1, tokens), on the model's device;
        and the (non-positive) difference between the next token's position and the number of tokens.
    """
    import torch

    ids = torch.tensor([prompt.token_ids], device=model.device)
    rope_index = getattr(model.network.model, "get_rope_index", None)
    if rope_index is None:
        return torch.arange(ids.shape[1], device=model.device)[None], 0
    if not prompt.images:
        return torch.arange(ids.shape[1], device=model.device).view(1, 1, -1).expand(3, 1, -1), 0
    token_types = (ids == model.image_token_id).int()
    grids = torch.stack([image.grid for image in prompt.images]).to(model.device)
    position_ids, delta = rope_index(ids, mm_token_type_ids=token_types, image_grid_thw=grids)
    return position_ids, int(delta.item())
