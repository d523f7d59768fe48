"""The tokens that a chat's form adds to its texts: measured once on a model's chat template, with texts of one letter."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from lgt_assets.errors import SettingsError

TEMPLATE_FILE, SETTINGS_FILE = "chat_template.jinja", "tokenizer_config.json"
_TEXT = "x"


@dataclass(frozen=True)
class ChatTokens:
    """Tokens beside those of the texts and of the pictures themselves.

    Attributes:
        prompt: of a prompt of one turn with what makes the model begin its own: the template's default system turn as well.
        turn: of each further turn of a prompt.
        completion: at the end of the assistant's turn.
        picture: around a picture.
    """

    prompt: int
    turn: int
    completion: int
    picture: int


QWEN2_5_VL_CHAT = ChatTokens(prompt=19, turn=5, completion=2, picture=2)


def chat_tokens(folder: Path, length: Callable[[str], int]) -> tuple[ChatTokens, str]:
    """What the chat template in a model's folder adds, and in words whose it is; Qwen2.5-VL's where there is none.

    Args:
        folder: may hold ``chat_template.jinja``, or ``tokenizer_config.json`` with ``chat_template``.
        length: tokens of a text, special tokens within it read as such.

    Raises:
        SettingsError: the template, which may do no more than a sandbox lets it, cannot be rendered.
    """
    source = _source(folder)
    if source is None:
        return QWEN2_5_VL_CHAT, "with Qwen2.5-VL's chat format"
    try:
        template = _environment().from_string(source)
        user = {"role": "user", "content": _TEXT}

        def rendered(*messages: dict, begin: bool = False) -> int:
            return length(template.render(messages=list(messages), add_generation_prompt=begin, tools=None))

        prompt, text = rendered(user, begin=True), length(_TEXT)
        completion = rendered(user, {"role": "assistant", "content": _TEXT}) - prompt - text
        parts = [{"type": "text", "text": _TEXT}]
        shown = [rendered({"role": "user", "content": [{"type": "image"}] * count + parts}) for count in (1, 2)]
        measured = ChatTokens(prompt - text, QWEN2_5_VL_CHAT.turn, max(completion, 0), shown[1] - shown[0] - 1)
    except (jinja2.TemplateError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise SettingsError(f"release.tokenizer: the chat template in {folder} cannot be rendered: {error}") from error
    return measured, "with its own chat format"


def _source(folder: Path) -> str | None:
    """The template's text."""
    template, settings = folder / TEMPLATE_FILE, folder / SETTINGS_FILE
    if template.is_file():
        return template.read_text(encoding="utf-8")
    if not settings.is_file():
        return None
    try:
        told = json.loads(settings.read_text(encoding="utf-8"))
        found = told.get("chat_template")
    except (ValueError, AttributeError) as error:
        raise SettingsError(f"release.tokenizer: {settings} is no JSON object: {error}") from error
    return found if isinstance(found, str) else None


def _environment() -> ImmutableSandboxedEnvironment:
    """What transformers renders chat templates with, as far as they need it."""

    def raise_exception(message: str) -> None:
        raise jinja2.TemplateError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = lambda form: "01 Jan 2026"
    return environment
