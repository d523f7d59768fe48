"""A page as one file: its templates, its style, and a policy that lets nothing run or load but what is named here."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

FOLDER = Path(__file__).parent
BASE_STYLE = FOLDER / "base.css"


def render(
    template: Path, *, style: Path, script: Path | None = None, values: Mapping[str, object],
    filters: Mapping[str, object] | None = None,
) -> str:  # fmt: skip
    """The page that ``template`` makes of ``values``, all of which are escaped.

    The template finds ``style`` (with what all pages share before it), ``script`` and ``policy``, and may import others of its
    folder and of this one.

    Args:
        template: file of a jinja template.
        style, script: files that are put into the page; without a script none runs.
        values: what the template shows.
        filters: further filters by name.
    """
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        loader=FileSystemLoader([template.parent, FOLDER]),
    )  # fmt: skip
    environment.filters.update(filters or {})
    styles = Markup("".join(path.read_text(encoding="utf-8") for path in (BASE_STYLE, style)))
    code = Markup(script.read_text(encoding="utf-8")) if script else Markup("")
    policy = content_policy(styles, code)
    return environment.get_template(template.name).render(**values, style=styles, script=code, policy=policy)


def content_policy(style: str, script: str = "") -> str:
    """A content security policy: pictures inside the page, this very style and script, and nothing else."""
    scripts = f"; script-src {_source(script)}" if script else ""
    return f"default-src 'none'; img-src data:{scripts}; style-src {_source(style)}"


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
