"""Bodies of /v1/chat/completions, put together from parts that neighbouring requests share.

Samples of a prompt differ in their seed alone, and questions about a picture in their text: what they share is encoded
once, and a picture's data address goes from file to socket without a JSON encoder reading it.
"""

import base64
import json

from lgt_assets.engines.base import ImageReference, Message, Request, Sampling
from lgt_assets.engines.image_bytes import RecentImages, media_type, read_image_bytes

_RECENT_IMAGES = 32
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class UnsupportedRequest(Exception):
    """The request needs what the server's dialect lacks."""


class BodyBuilder:
    """Builds request bodies.

    Args:
        served_model: name the server knows the model by.
        dialect: ``vllm`` or ``openai``, see OpenaiServerSettings.
        pixel_limits: min_pixels and max_pixels where they are set.
    """

    def __init__(self, served_model: str, dialect: str, pixel_limits: dict[str, int]) -> None:
        self._head = b'{"model":%b,"messages":[' % _bytes(_json(served_model))
        self._dialect = dialect
        self._pixel_limits = pixel_limits
        self._addresses: RecentImages[bytes] = RecentImages(_RECENT_IMAGES)
        self._prompt: tuple[tuple[Message, ...], str, list[bytes]] = ((), "", [])
        self._options: tuple[Sampling | None, bool, bool, bytes] = (None, False, False, b"")

    def build(self, request: Request) -> bytes:
        """The JSON body.

        Raises:
            ImageUnreadable: a picture is missing or changed.
            UnsupportedRequest: the ``openai`` dialect cannot express it.
        """
        options = self._options_of(request)
        # one join: a picture is copied once
        return b"".join((self._head, *self._turns(request), b"],", options, b',"seed":%d}' % request.seed))

    def _turns(self, request: Request) -> list[bytes]:
        messages, prefix, parts = self._prompt
        if messages is not request.messages or prefix != request.prefix:
            parts = []
            for message in request.messages:
                parts += [b"," if parts else b"", *self._turn(message)]
            if request.prefix:
                parts.append(b',{"role":"assistant","content":%b}' % _bytes(_json(request.prefix)))
            self._prompt = (request.messages, request.prefix, parts)
        return parts

    def _turn(self, message: Message) -> list[bytes]:
        role, text = _bytes(_json(message.role)), _bytes(_json(message.text))
        if not message.images:
            return [b'{"role":%b,"content":%b}' % (role, text)]
        parts = [b'{"role":%b,"content":[' % role]
        for image in message.images:
            parts += [b'{"type":"image_url","image_url":{"url":"', self._address(image), b'"}},']
        return [*parts, b'{"type":"text","text":%b}]}' % text]

    def _address(self, image: ImageReference) -> bytes:
        address = self._addresses.get(image.sha256)
        if address is None:
            content = read_image_bytes(image)
            address = b"data:%b;base64,%b" % (media_type(content).encode("ascii"), base64.b64encode(content))
            self._addresses.put(image.sha256, address)
        return address

    def _options_of(self, request: Request) -> bytes:
        """All but model, messages and seed, without the braces; the same bytes for every request of a role."""
        prefixed = bool(request.prefix)
        pictured = any(message.images for message in request.messages)
        sampling, known_prefixed, known_pictured, options = self._options
        if sampling is not request.sampling or (prefixed, pictured) != (known_prefixed, known_pictured):
            options = _bytes(_json(self._option_fields(request.sampling, prefixed, pictured))[1:-1])
            self._options = (request.sampling, prefixed, pictured, options)
        return options

    def _option_fields(self, sampling: Sampling, prefixed: bool, pictured: bool) -> dict[str, object]:
        fields: dict[str, object] = {
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
            "n": 1,
        }
        if sampling.stop:
            fields["stop"] = list(sampling.stop)
        extensions = self._extensions(sampling, prefixed, pictured)
        if self._dialect == "vllm":
            # said outright, or the server would take the model's generation_config instead
            return fields | {"top_k": sampling.top_k, "repetition_penalty": 1.0} | extensions
        if extensions:
            raise UnsupportedRequest(
                f"an endpoint of dialect openai has no {', '.join(sorted(extensions))}; use a vLLM server"
            )
        return fields

    def _extensions(self, sampling: Sampling, prefixed: bool, pictured: bool) -> dict[str, object]:
        extensions: dict[str, object] = {}
        if prefixed:
            extensions |= {"add_generation_prompt": False, "continue_final_message": True}
        if sampling.top_k > 0:
            extensions["top_k"] = sampling.top_k
        if sampling.stop and sampling.include_stop:
            extensions["include_stop_str_in_output"] = True
        if sampling.bad_words:
            extensions["bad_words"] = list(sampling.bad_words)
        if sampling.choice:
            # the older guided_choice is ignored without a word by present servers
            extensions["structured_outputs"] = {"choice": list(sampling.choice)}
        if self._pixel_limits and pictured:
            extensions["mm_processor_kwargs"] = self._pixel_limits
        return extensions


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
