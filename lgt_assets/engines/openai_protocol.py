"""Requests and answers of /v1/chat/completions as values: building the body, judging what came back."""

import base64
import json
import re
from typing import Any

from lgt_assets.engines.base import ImageReference, Request
from lgt_assets.engines.image_bytes import RecentImages, media_type, read_image_bytes

_RECENT_IMAGES = 32
_MOST_MESSAGE_CHARACTERS = 400
_DATED = re.compile(r"-\d{4}")


class UnsupportedRequest(Exception):
    """The request needs what the server's dialect lacks."""


class GarbageAnswer(Exception):
    """The body is no chat completion; worth another attempt."""


class WrongModel(Exception):
    """The endpoint answered with another model than the one asked for."""


class BodyBuilder:
    """Builds request bodies; a picture's data address is kept for the next requests about it.

    Args:
        served_model: name the server knows the model by.
        dialect: ``vllm`` or ``openai``, see OpenaiServerSettings.
        pixel_limits: min_pixels and max_pixels where they are set.
    """

    def __init__(self, served_model: str, dialect: str, pixel_limits: dict[str, int]) -> None:
        self._served_model = served_model
        self._dialect = dialect
        self._pixel_limits = pixel_limits
        self._addresses: RecentImages[str] = RecentImages(_RECENT_IMAGES)

    def build(self, request: Request) -> bytes:
        """The JSON body.

        Raises:
            ImageUnreadable: a picture is missing or changed.
            UnsupportedRequest: the ``openai`` dialect cannot express it.
        """
        sampling = request.sampling
        body: dict[str, Any] = {
            "model": self._served_model,
            "messages": self._messages(request),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
            "seed": request.seed,
            "n": 1,
        }
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        extensions = self._extensions(request)
        if self._dialect == "vllm":
            # said outright, or the server would take the model's generation_config instead
            body |= {"top_k": sampling.top_k, "repetition_penalty": 1.0, **extensions}
        elif extensions:
            raise UnsupportedRequest(
                f"an endpoint of dialect openai has no {', '.join(sorted(extensions))}; use a vLLM server"
            )
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")

    def _extensions(self, request: Request) -> dict[str, Any]:
        sampling = request.sampling
        extensions: dict[str, Any] = {}
        if request.prefix:
            extensions |= {"add_generation_prompt": False, "continue_final_message": True}
        if sampling.top_k > 0:
            extensions["top_k"] = sampling.top_k
        if sampling.stop and sampling.include_stop:
            extensions["include_stop_str_in_output"] = True
        if sampling.bad_words:
            extensions["bad_words"] = list(sampling.bad_words)
        if self._pixel_limits and any(message.images for message in request.messages):
            extensions["mm_processor_kwargs"] = self._pixel_limits
        return extensions

    def _messages(self, request: Request) -> list[dict[str, Any]]:
        turns: list[dict[str, Any]] = []
        for message in request.messages:
            pictures = [{"type": "image_url", "image_url": {"url": self._address(image)}} for image in message.images]
            turns.append(
                {
                    "role": message.role,
                    "content": [*pictures, {"type": "text", "text": message.text}] if pictures else message.text,
                }
            )
        return [*turns, {"role": "assistant", "content": request.prefix}] if request.prefix else turns

    def _address(self, image: ImageReference) -> str:
        address = self._addresses.get(image.sha256)
        if address is None:
            content = read_image_bytes(image)
            address = f"data:{media_type(content)};base64,{base64.b64encode(content).decode('ascii')}"
            self._addresses.put(image.sha256, address)
        return address


def read_answer(body: bytes, served_model: str) -> dict[str, Any]:
    """The fields of a Completion (less key and seconds) from a 200 answer.

    Raises:
        GarbageAnswer: it is no JSON, or lacks what a chat completion has.
        WrongModel: it names another model.
    """
    try:
        answer = json.loads(body)
        model, choice = answer["model"], answer["choices"][0]
        text, finish_reason = choice["message"]["content"], choice["finish_reason"]
        usage = answer.get("usage") or {}
        details = usage.get("prompt_tokens_details") or {}
        counts = {
            "prompt_tokens": int(usage.get("prompt_tokens") or 0),
            "cached_tokens": int(details.get("cached_tokens") or 0),
            "completion_tokens": int(usage.get("completion_tokens") or 0),
        }
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise GarbageAnswer(
            f"its answer is no chat completion ({type(error).__name__}: {str(error)[:80]}): {_excerpt(body)!r}"
        ) from error
    if not isinstance(model, str) or not _is_model(model, served_model):
        raise WrongModel(f"it answers with model {model!r} instead of {served_model!r}")
    if not isinstance(text, str):
        raise GarbageAnswer(f"its answer has no text: {_excerpt(body)!r}")
    if finish_reason not in ("stop", "length"):
        raise GarbageAnswer(f"its answer ended by {finish_reason!r}, neither stop nor length")
    return {"text": text, "finish_reason": finish_reason, **counts}


def _is_model(answered: str, asked: str) -> bool:
    """Hosted services answer with the dated name of what was asked for."""
    return answered == asked or (answered.startswith(asked) and _DATED.match(answered, len(asked)) is not None)


def error_message(body: bytes) -> str:
    """What a server says in an error's body, shortened."""
    try:
        answer = json.loads(body)
        error = answer.get("error", answer)
        message = error.get("message") if isinstance(error, dict) else error
        return str(message or answer)[:_MOST_MESSAGE_CHARACTERS]
    except (ValueError, AttributeError):
        return _excerpt(body)


def _excerpt(body: bytes) -> str:
    return body[:_MOST_MESSAGE_CHARACTERS].decode("utf-8", "replace")
