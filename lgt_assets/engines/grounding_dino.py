"""Grounding DINO (Liu et al. 2023, arXiv 2303.05499) by transformers: boxes for phrases, in this process.

The processor's own post-processing gives boxes and scores. Which phrase a box is of is read from the scores of the phrases'
own tokens: the words that post-processing puts together may come from several phrases, and then name none.
"""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lgt_assets.engines.base import ImageReference, ModelIdentity
from lgt_assets.engines.detector import Detection, DetectionQuery, QueryUnusable
from lgt_assets.engines.hf_model import device_name
from lgt_assets.engines.image_bytes import ImageUnreadable, RecentImages, open_picture
from lgt_assets.engines.lazy_model import LazyModel
from lgt_assets.engines.model_identity import local_folder, model_identity, require_pinned
from lgt_assets.engines.settings import GroundingDinoSettings
from lgt_assets.errors import EngineError

if TYPE_CHECKING:
    import torch

MODEL_TYPES = ("grounding-dino", "mm-grounding-dino")
_RECENT_IMAGES = 2  # queries about one picture are neighbours


class _Loaded(NamedTuple):
    network: Any
    processor: Any
    device: "torch.device"


class _Prepared(NamedTuple):
    """A picture as the network takes it, with its width and height in pixels."""

    inputs: Any
    size: tuple[int, int]


def merged_text(phrases: tuple[str, ...]) -> tuple[str, list[tuple[int, int]]]:
    """Phrases as the model was trained on them, ``a cat. a dog.``, and the span of characters of each."""
    text, spans = "", []
    for phrase in phrases:
        phrase = phrase.strip().lower()
        start = len(text) + (1 if text else 0)
        text += f" {phrase}." if text else f"{phrase}."
        spans.append((start, start + len(phrase)))
    return text, spans


class GroundingDino:
    """A detector; the model is loaded with the first query, so that a run whose detections are stored imports no torch.

    Raises:
        EngineError: no model lies at the settings' path.
    """

    kind = "grounding_dino"

    def __init__(self, settings: GroundingDinoSettings) -> None:
        self._settings = settings
        self._model = LazyModel(lambda: _load(settings))
        self._recent: RecentImages[_Prepared] = RecentImages(_RECENT_IMAGES)
        local_folder(settings.model)

    @cached_property
    def identity(self) -> ModelIdentity:
        """What names the model; its limits on a picture's edges stand where other models have those on its pixels."""
        settings = self._settings
        require_pinned(settings.model, settings.revision)
        return model_identity(
            settings.model, revision=settings.revision,
            min_pixels=settings.shortest_edge, max_pixels=settings.longest_edge,
        )  # fmt: skip

    def detect(self, query: DetectionQuery) -> list[Detection]:
        """Boxes whose score exceeds the box threshold; see :class:`lgt_assets.engines.detector.Detector`."""
        import torch

        if not query.phrases:
            return []
        model = self._model.get()
        text, spans = merged_text(query.phrases)
        tokens = model.processor.tokenizer(text, return_offsets_mapping=True, return_tensors="pt")
        offsets = tokens.pop("offset_mapping")[0].tolist()
        if len(offsets) > model.network.config.max_text_len:
            raise QueryUnusable(
                f"{len(query.phrases)} phrases have {len(offsets)} tokens, and this model takes "
                f"{model.network.config.max_text_len}: lower detect.phrases_per_request or detect.phrase_words"
            )
        prepared = self._prepare(query.image)
        inputs = {
            name: value.to(model.device, model.network.dtype if value.is_floating_point() else None)
            for name, value in (dict(tokens) | prepared.inputs).items()
        }
        try:
            with torch.inference_mode():
                output = model.network(**inputs)
        except torch.OutOfMemoryError as error:
            raise QueryUnusable(f"picture {query.image.uri} does not fit in memory: lower longest_edge") from error
        output.logits, output.pred_boxes = output.logits.float(), output.pred_boxes.float()
        (found,) = model.processor.post_process_grounded_object_detection(
            output, inputs["input_ids"], threshold=query.box_threshold, text_threshold=query.text_threshold,
            target_sizes=[prepared.size[::-1]],
        )  # fmt: skip
        by_token = output.logits[0].sigmoid()
        kept = by_token.max(-1)[0] > query.box_threshold  # what post-processing keeps, in its order
        phrases = _phrases_of(by_token[kept], offsets, spans, query.text_threshold)
        rows = zip(
            found["boxes"].tolist(), found["scores"].tolist(), phrases, found["text_labels"], strict=True
        )  # fmt: skip
        return [
            Detection(*_inside(edges, *prepared.size), score, phrase, words) for edges, score, phrase, words in rows
        ]

    def _prepare(self, image: ImageReference) -> _Prepared:
        prepared = self._recent.get(image.sha256)
        if prepared is None:
            try:
                picture = open_picture(image)
                inputs = self._model.get().processor.image_processor(images=[picture], return_tensors="pt")
            except (ImageUnreadable, ValueError) as error:
                raise QueryUnusable(f"picture {image.uri} cannot be prepared: {error}") from error
            prepared = _Prepared(dict(inputs), picture.size)
            self._recent.put(image.sha256, prepared)
        return prepared

    def close(self) -> None:
        """Free the model and its memory. Closing twice is fine."""
        self._recent = RecentImages(_RECENT_IMAGES)
        self._model.close()


def _phrases_of(
    by_token: "torch.Tensor", offsets: list[list[int]], spans: list[tuple[int, int]], threshold: float
) -> list[int | None]:
    """For each box (rows of ``by_token``, by token) the phrase with the best token, if that exceeds ``threshold``."""
    columns = [
        [column for column, (start, end) in enumerate(offsets) if end > start and first <= start and end <= last]
        for first, last in spans
    ]
    known = [phrase for phrase, own in enumerate(columns) if own]
    if not known or not len(by_token):
        return [None] * len(by_token)
    import torch

    scores = torch.stack([by_token[:, columns[phrase]].max(-1)[0] for phrase in known], dim=1)
    best, which = scores.max(-1)
    return [known[at] if score > threshold else None for score, at in zip(best.tolist(), which.tolist(), strict=True)]


def _inside(edges: list[float], width: int, height: int) -> list[float]:
    return [min(max(edge, 0.0), float(size)) for edge, size in zip(edges, (width, height) * 2, strict=True)]


def _load(settings: GroundingDinoSettings) -> _Loaded:
    import torch
    from transformers import AutoConfig, AutoImageProcessor, AutoModelForZeroShotObjectDetection, AutoTokenizer
    from transformers import GroundingDinoProcessor as Processor
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # it would write between the lines of whoever shows progress here
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    folder = local_folder(settings.model)
    source: str | Path = folder if folder is not None else settings.model
    where = {} if folder is not None else {"revision": settings.revision}
    device = torch.device(device_name(settings.device))
    try:
        config = AutoConfig.from_pretrained(source, **where)
        if config.model_type not in MODEL_TYPES:
            raise ValueError(f"it is a {config.model_type}, and this engine runs {' and '.join(MODEL_TYPES)}")
        network = AutoModelForZeroShotObjectDetection.from_pretrained(source, dtype=settings.dtype, **where)
        # the processor on Pillow: the whole AutoProcessor would need torchvision
        pictures = AutoImageProcessor.from_pretrained(source, backend="pil", **where)
        tokenizer = AutoTokenizer.from_pretrained(source, **where)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        raise EngineError(
            f"detector {settings.model!r} cannot be loaded on {device}: {error}. Without a network, give a folder that holds it."
        ) from error
    for edge in ("shortest_edge", "longest_edge"):
        if (limit := getattr(settings, edge)) is not None:
            pictures.size[edge] = limit
    return _Loaded(network.to(device).eval(), Processor(pictures, tokenizer), device)
