"""From a request to what vLLM takes and back: rendered prompts, sampling parameters, completions."""

from functools import cache
from typing import TYPE_CHECKING, Any

from lgt_assets.engines.base import Completion, ImageReference, Message, Request, RequestFailure
from lgt_assets.engines.hf_sampling import bad_word_tokens
from lgt_assets.engines.image_bytes import RecentImages, open_picture

if TYPE_CHECKING:
    from PIL.Image import Image

_RECENT_IMAGES = 64


class PromptRenderer:
    """Renders chats by the model's template; the last prompt and the last pictures are kept for their neighbours.

    vLLM prepares a picture once: it knows it again by its sha256, which also names it in the prefix cache.

    Args:
        renderer: vLLM's own.
    """

    def __init__(self, renderer: Any) -> None:
        self._renderer = renderer
        self._tokenization = renderer.default_chat_tok_params.with_kwargs(add_special_tokens=False)
        self._pictures: RecentImages[Image] = RecentImages(_RECENT_IMAGES)
        self._last: tuple[object, Any] = (None, None)

    def render(self, request: Request) -> Any:
        """The prompt of ``request`` as ``LLMEngine.add_request`` takes it.

        Raises:
            ImageUnreadable: a picture is missing, changed or cannot be decoded.
            VLLMClientError, ValueError: the model cannot take the prompt.
        """
        wanted = (request.messages, request.prefix)
        if self._last[0] != wanted:
            _chats, (prompt,) = self._renderer.render_chat(
                [self._chat(request)], _chat_params(bool(request.prefix)), self._tokenization
            )
            self._last = (wanted, prompt)
        return self._last[1]

    def _chat(self, request: Request) -> list[dict[str, Any]]:
        turns = [self._turn(message) for message in request.messages]
        return [*turns, {"role": "assistant", "content": request.prefix}] if request.prefix else turns

    def _turn(self, message: Message) -> dict[str, Any]:
        if not message.images:
            return {"role": message.role, "content": message.text}
        pictures = [
            {"type": "image_pil", "image_pil": self._picture(image), "uuid": image.sha256} for image in message.images
        ]
        return {"role": message.role, "content": [*pictures, {"type": "text", "text": message.text}]}

    def _picture(self, image: ImageReference) -> "Image":
        picture = self._pictures.get(image.sha256)
        if picture is None:
            picture = open_picture(image)
            self._pictures.put(image.sha256, picture)
        return picture


@cache
def _chat_params(continued: bool) -> Any:
    from vllm.renderers import ChatParams

    return ChatParams(
        chat_template_kwargs={
            "add_generation_prompt": not continued,
            "continue_final_message": continued,
            "tokenize": False,
        }
    )


@cache
def refusals() -> tuple[type[Exception], ...]:
    """What vLLM raises about a single request; anything else is about the engine."""
    from vllm.exceptions import VLLMClientError

    return (VLLMClientError, ValueError)


def sampling_params(request: Request) -> Any:
    """The request's sampling in vLLM's terms: only the finished text comes back, drawn from the request's own seed."""
    from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

    sampling = request.sampling
    return _params_class()(
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        top_k=sampling.top_k,
        max_tokens=sampling.max_tokens,
        seed=request.seed,
        stop=list(sampling.stop) or None,
        include_stop_str_in_output=sampling.include_stop,
        bad_words=list(sampling.bad_words) or None,
        structured_outputs=StructuredOutputsParams(choice=list(sampling.choice)) if sampling.choice else None,
        output_kind=RequestOutputKind.FINAL_ONLY,
    )


@cache
def _params_class() -> type:
    from vllm import SamplingParams

    class Params(SamplingParams):
        """Bans a bad word after a space too where that has another number of tokens; vLLM would let it through."""

        def update_from_tokenizer(self, tokenizer: Any) -> None:
            if self.bad_words:
                self._bad_words_token_ids = bad_word_tokens(tokenizer, self.bad_words)

    return Params


def completion(key: str, output: Any, seconds: float) -> Completion | RequestFailure:
    """A finished ``RequestOutput`` as the result of the request ``key``."""
    choice = output.outputs[0]
    if choice.finish_reason not in ("stop", "length"):
        return RequestFailure(key, f"vLLM ended it by {choice.finish_reason!r}; see its log, then ask again")
    return Completion(
        request_key=key,
        text=choice.text,
        finish_reason=choice.finish_reason,
        prompt_tokens=len(output.prompt_token_ids or ()),
        cached_tokens=output.num_cached_tokens or 0,
        completion_tokens=len(choice.token_ids),
        seconds=seconds,
    )
