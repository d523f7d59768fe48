"""Loading a model with transformers: weights, tokenizer and, where the model sees, the picture processor."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lgt_assets.engines.allocation import bound_heaps
from lgt_assets.engines.model_identity import local_folder
from lgt_assets.engines.settings import HfTransformersSettings
from lgt_assets.errors import EngineError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class LoadedModel:
    """A model ready to decode.

    Attributes:
        network: the transformers model, in evaluation mode.
        tokenizer: with the chat template.
        image_processor: None for a model without vision.
        image_token_id: the placeholder that stands for one visual token; -1 without vision.
        merged_patches: patches of the picture per visual token.
        end_token_ids: tokens that end a turn.
        context: longest prompt plus completion, in tokens.
        vocabulary: logits per position.
    """

    network: Any
    tokenizer: Any
    image_processor: Any
    image_token_id: int
    merged_patches: int
    end_token_ids: frozenset[int]
    context: int
    vocabulary: int
    device: "torch.device"


def load_model(settings: HfTransformersSettings) -> LoadedModel:
    """Load what ``settings`` name.

    Raises:
        EngineError: nothing can be loaded from there, or the model is of a kind that this engine cannot decode.
    """
    import torch
    from transformers import AutoConfig, AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # it would write between the lines of whoever shows progress here
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    folder = local_folder(settings.model)
    source: str | Path = folder if folder is not None else settings.model
    where = {} if folder is not None or not settings.revision else {"revision": settings.revision}
    device = torch.device(device_name(settings.device))
    if device.type == "cpu":
        bound_heaps()
    try:
        config = AutoConfig.from_pretrained(source, **where)
        tokenizer = AutoTokenizer.from_pretrained(source, **where)
        network = _network(config, source, where, settings).to(device).eval()
        image_processor = _image_processor(config, source, where, settings)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        raise EngineError(
            f"model {settings.model!r} cannot be loaded on {device}: {error}. Without a network, give a folder that holds it."
        ) from error
    text_config = config.get_text_config()
    if "sliding_attention" in (getattr(text_config, "layer_types", None) or ()):
        raise EngineError(
            f"model {settings.model!r} has sliding-window layers, which this engine cannot decode; use vllm_offline"
        )
    return LoadedModel(
        network=network,
        tokenizer=tokenizer,
        image_processor=image_processor,
        image_token_id=getattr(config, "image_token_id", -1) if image_processor is not None else -1,
        merged_patches=image_processor.merge_size**2 if image_processor is not None else 1,
        end_token_ids=_end_token_ids(network, tokenizer),
        context=int(text_config.max_position_embeddings),
        vocabulary=int(text_config.vocab_size),
        device=device,
    )


def device_name(wanted: str) -> str:
    """A torch device's name; ``auto`` is CUDA, else Apple's GPU, else the CPU."""
    import torch

    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _network(config: Any, source: str | Path, where: dict[str, str], settings: HfTransformersSettings) -> Any:
    from transformers import AutoModelForCausalLM, AutoModelForImageTextToText

    sees = getattr(config, "vision_config", None) is not None
    loader = AutoModelForImageTextToText if sees else AutoModelForCausalLM
    network = loader.from_pretrained(source, dtype=settings.dtype, attn_implementation="sdpa", **where)
    if sees and not hasattr(network.model, "get_rope_index"):
        raise ValueError("it sees, but not by Qwen-VL's positions; serve it with vLLM and use openai_server")
    if settings.adapter:
        folder = local_folder(settings.adapter)
        network.load_adapter(str(folder) if folder is not None else settings.adapter)
    return network


def _image_processor(config: Any, source: str | Path, where: dict[str, str], settings: HfTransformersSettings) -> Any:
    """The processor on Pillow: the whole AutoProcessor would need torchvision, which this engine does without."""
    from transformers import AutoImageProcessor

    if getattr(config, "vision_config", None) is None:
        return None
    processor = AutoImageProcessor.from_pretrained(source, backend="pil", **where)
    if settings.min_pixels is not None:
        processor.size["shortest_edge"] = settings.min_pixels
    if settings.max_pixels is not None:
        processor.size["longest_edge"] = settings.max_pixels
    return processor


def _end_token_ids(network: Any, tokenizer: Any) -> frozenset[int]:
    configured = network.generation_config.eos_token_id
    listed = configured if isinstance(configured, list) else [configured]
    return frozenset(token for token in [*listed, tokenizer.eos_token_id] if token is not None)
