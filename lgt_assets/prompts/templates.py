"""Rendering of prompt templates: sandboxed, strict about undefined names, each template known by its hash."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from lgt_assets.engines.base import ImageReference, Message
from lgt_assets.errors import PromptError

ROLES = ("questioner", "composer", "vlm", "reasoner", "verifier")
# Roles whose template has another name: a detector reads no prompt, but looks for what `phrases` had listed.
TEMPLATE_OF_ROLE = {"captioner": "caption", "detector": "phrases"}
PROMPTS_FOLDER = Path(__file__).parent
_LOOP_COUNTERS = frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length"})


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox; a loop's counters, plain numbers, go without its search for a way out, half of a prompt's time."""

    def getattr(self, obj: object, attribute: str) -> object:
        """See jinja2."""
        if type(obj) is LoopContext and attribute in _LOOP_COUNTERS:
            return getattr(obj, attribute)
        return super().getattr(obj, attribute)


@dataclass(frozen=True)
class PromptSet:
    """The templates ``<folder>/<role>.jinja`` (user turn) and, where present, ``<role>.system.jinja``.

    Example:
        >>> prompts = PromptSet(PROMPTS_FOLDER / "embedded")
        >>> messages = prompts.messages("vlm", question="…", choices=["red", "blue"], answer_format="letter")
    """

    folder: Path

    @cached_property
    def _environment(self) -> _Sandbox:
        return _Sandbox(
            loader=FileSystemLoader(self.folder), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
            keep_trailing_newline=False, autoescape=False, auto_reload=False,  # a set is read once
        )  # fmt: skip

    @cached_property
    def _with_system(self) -> frozenset[str]:
        return frozenset(file.name.removesuffix(".system.jinja") for file in self.folder.glob("*.system.jinja"))

    @cached_property
    def _templates(self) -> dict[str, Template]:
        return {}

    def _template(self, file: str) -> Template:
        template = self._templates.get(file)
        if template is None:
            template = self._environment.get_template(file)
            template.globals = dict(template.globals)  # a ChainMap, which each rendering would copy key by key
            self._templates[file] = template
        return template

    def _render(self, file: str, variables: dict) -> str:
        try:
            return self._template(file).render(variables)
        except TemplateError as error:
            raise PromptError(f"prompt {self.folder.name}/{file}: {error.message or error}") from error

    def messages(
        self, role: str, *, images: tuple[ImageReference, ...] = (), **variables: object
    ) -> tuple[Message, ...]:
        """The chat that asks ``role`` for what ``variables`` describe; ``images`` go before the user's text.

        Raises:
            PromptError: the template is missing, names an undefined variable, or tries to leave its sandbox.
        """
        user = Message("user", self._render(f"{role}.jinja", variables), images)
        if role not in self._with_system:
            return (user,)
        return (Message("system", self._render(f"{role}.system.jinja", variables)), user)

    def variants(self, role: str) -> list[str]:
        """Names of the role's templates, sorted: ``<role>`` and every ``<role>.<variant>``; each is a name for
        :meth:`messages` and :meth:`template_hash`.

        Raises:
            PromptError: the set has no template for the role.
        """
        names = {file.name.removesuffix(".jinja") for file in self.folder.glob(f"{role}*.jinja")}
        found = sorted(name for name in names if re.fullmatch(rf"{re.escape(role)}(\.(?!system$)[a-z0-9_-]+)?", name))
        if not found:
            raise PromptError(f"prompt set {self.folder.name} has no {role}.jinja in {self.folder}")
        return found

    def has(self, role: str) -> bool:
        """Whether the set has a template of this name."""
        return (self.folder / f"{role}.jinja").exists()

    def template_hash(self, role: str) -> str:
        """sha256 of the role's template files, in every row's provenance and in the asset's code version.

        Raises:
            PromptError: the set has no template for the role.
        """
        files = [self.folder / f"{role}.system.jinja", self.folder / f"{role}.jinja"]
        if not files[1].exists():
            raise PromptError(f"prompt set {self.folder.name} has no {role}.jinja in {self.folder}")
        return hashlib.sha256(b"\0".join(file.read_bytes() for file in files if file.exists())).hexdigest()


def prompt_set(name: str) -> PromptSet:
    """A shipped set by its name (``lgt``, ``embedded``) or one of your own by its folder's path.

    Raises:
        PromptError: there is no such set.
    """
    folder = PROMPTS_FOLDER / name
    folder = folder if folder.is_dir() else Path(name)
    if not folder.is_dir():
        shipped = ", ".join(
            sorted(p.name for p in PROMPTS_FOLDER.iterdir() if p.is_dir() and not p.name.startswith("_"))
        )
        raise PromptError(f"no prompt set {name!r}: shipped are {shipped}; or give the path of a folder of your own")
    return PromptSet(folder)


def template_tokens(prompts: PromptSet, roles: Iterable[str], characters_per_token: float = 4.0) -> dict[str, float]:
    """Roughly how long each role's prompt is before anything is put in: the mean of its variants.

    Raises:
        PromptError: the set has no template for a role.
    """
    sizes = {}
    for role in roles:
        files = [prompts.folder / f"{name}.jinja" for name in prompts.variants(TEMPLATE_OF_ROLE.get(role, role))]
        sizes[role] = sum(len(file.read_text(encoding="utf-8")) for file in files) / len(files) / characters_per_token
    return sizes
