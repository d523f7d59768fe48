"""Answers of /v1/chat/completions and /v1/models as values: judging what came back, and saying what is wrong with it."""

import json
import re
from dataclasses import dataclass
from typing import Any

_MOST_MESSAGE_CHARACTERS = 400
_DATED = re.compile(r"-\d{4}")
_OTHER_SHAPE = (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError)
_SPLIT_THOUGHTS = ("reasoning_content", "reasoning")


class GarbageAnswer(Exception):
    """The body is not what was asked for; worth another attempt."""


class WithheldAnswer(Exception):
    """The server will not answer this request, now or later."""


class WrongServer(Exception):
    """The endpoint answers with another model than the one asked for, or in a way that loses text: its set-up is wrong."""


@dataclass(frozen=True)
class Answer:
    """What a completion takes from a reply; ``cached_tokens`` are the part of ``prompt_tokens`` that was not computed anew."""

    text: str
    finish_reason: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int


def read_answer(body: bytes, names: frozenset[str]) -> Answer:
    """The answer in a reply of status 200.

    Args:
        body: of the reply.
        names: the served model's name and its other names.

    Raises:
        GarbageAnswer: it is no JSON, or lacks what a chat completion has.
        WithheldAnswer: the server's filter kept the text back.
        WrongServer: it names another model, or thoughts were split off the text.
    """
    try:
        answer = json.loads(body)
        model, choice = answer["model"], answer["choices"][0]
        message, finish_reason = choice["message"], choice["finish_reason"]
        text = message["content"]
        usage = answer.get("usage") or {}
        details = usage.get("prompt_tokens_details") or {}
        counts = (
            int(usage.get("prompt_tokens") or 0),
            int(details.get("cached_tokens") or 0),
            int(usage.get("completion_tokens") or 0),
        )
        split = any(message.get(name) for name in _SPLIT_THOUGHTS)
        if not isinstance(model, str):
            raise TypeError("model is no name")
    except _OTHER_SHAPE as error:
        raise GarbageAnswer(
            f"its answer is no chat completion ({type(error).__name__}: {str(error)[:80]}): {_excerpt(body)!r}"
        ) from error
    if model not in names and not _is_dated(model, names):
        raise WrongServer(
            f"it answers with model {model[:200]!r} instead of {min(names)!r}; "
            "set served_model to the name it goes by, or correct the endpoint"
        )
    if finish_reason == "content_filter":
        raise WithheldAnswer("withheld its answer (content_filter); reword the prompt, or ask another server")
    if split:
        raise WrongServer(
            "it splits thoughts off the text; start it without --reasoning-parser, or the thoughts are lost"
        )
    if not isinstance(text, str):
        raise GarbageAnswer(f"its answer has no text: {_excerpt(body)!r}")
    if finish_reason not in ("stop", "length"):
        raise GarbageAnswer(f"its answer ended by {finish_reason!r}, neither stop nor length")
    return Answer(text, finish_reason, *counts)


def read_models(body: bytes, served_model: str) -> frozenset[str]:
    """The names of the served model by a reply of /v1/models: vLLM answers with the first of several names of one model.

    Raises:
        GarbageAnswer: it is no list of models.
        WrongServer: the model is not among them.
    """
    try:
        roots = {model["id"]: model.get("root") for model in json.loads(body)["data"]}
    except _OTHER_SHAPE as error:
        raise GarbageAnswer(f"its /models is no list of models ({type(error).__name__}): {_excerpt(body)!r}") from error
    if served_model not in roots:
        listed = ", ".join(sorted(map(str, roots))[:10]) or "nothing"
        raise WrongServer(
            f"it serves {listed[:_MOST_MESSAGE_CHARACTERS]}, not {served_model!r}; "
            "set served_model to the name it goes by, or correct the endpoint"
        )
    root = roots[served_model]
    return frozenset(name for name in roots if name == served_model or (root and roots[name] == root))


def _is_dated(answered: str, names: frozenset[str]) -> bool:
    """Hosted services answer with the dated name of what was asked for."""
    return any(answered.startswith(name) and _DATED.match(answered, len(name)) is not None for name in names)


def error_message(body: bytes) -> str:
    """What a server says in an error's body, shortened."""
    try:
        answer = json.loads(body)
        error = answer.get("error", answer)
        message = error.get("message") if isinstance(error, dict) else error
        return str(message or answer)[:_MOST_MESSAGE_CHARACTERS]
    except _OTHER_SHAPE:
        return _excerpt(body)


def is_out_of_quota(body: bytes) -> bool:
    """Whether a 429 means that the account is spent, which waiting does not mend."""
    try:
        error: Any = json.loads(body)["error"]
        return "insufficient_quota" in (error.get("code"), error.get("type"))
    except _OTHER_SHAPE:
        return False


def _excerpt(body: bytes) -> str:
    return body[:_MOST_MESSAGE_CHARACTERS].decode("utf-8", "replace")
