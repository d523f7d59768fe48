"""Which models a release was made with, under which prompts: counted over its completions."""

import json
from collections.abc import Iterable, Mapping

import polars as pl

from lgt_assets.engines.settings import EMBEDDED_MODEL
from lgt_assets.errors import PromptError
from lgt_assets.prompts.templates import prompt_set
from lgt_assets.release.tallied import counts
from lgt_assets.settings import Profile

_KEYS = ("asset", "role", "engine", "model", "revision", "template_hash", "sampling")
_TOKENS = ("prompt_tokens", "completion_tokens")


def models_used(generations: pl.LazyFrame, template_names: Mapping[str, str], assets: Iterable[str]) -> list[dict]:
    """One dict for each model, role, template and sampling by which an asset was made.

    Args:
        generations: rows of ``generations`` of the released shards.
        template_names: names of templates by their hash; what is not there has only its hash.
        assets: in the order wanted.

    Returns:
        ``asset``, ``role``, ``engine``, ``model``, ``revision``, ``template`` (name or None), ``template_hash``, ``sampling``,
        ``requests``, ``prompt_tokens``, ``completion_tokens``.
    """
    found = counts(generations, *_KEYS, name="requests", sums=[pl.col(*_TOKENS).sum()])
    order = {name: place for place, name in enumerate(assets)}
    found.sort(key=lambda row: order.get(row["asset"], len(order)))
    return [
        {name: row[name] for name in ("asset", "role", "engine")}
        | {"model": base_name(row["model"]), "revision": row["revision"]}
        | {"template": template_names.get(row["template_hash"]), "template_hash": row["template_hash"]}
        | {"sampling": json.loads(row["sampling"])}
        | {name: row[name] for name in ("requests", *_TOKENS)}
        for row in found
    ]


def base_name(name: str) -> str:
    """The last part of an absolute path, since where a model or prompt set lay concerns nobody; other names as they are."""
    return name.rstrip("/").rpartition("/")[2] if name.startswith(("/", "~", ".")) else name


def is_embedded(model: str) -> bool:
    """Whether it is the small model that comes with the package, which knows nothing but rendered scenes."""
    return model == EMBEDDED_MODEL


def template_names(profile: Profile) -> dict[str, str]:
    """Names of the profile's templates by their hash, such as ``lgt/composer``; none where the set is no longer there."""
    try:
        prompts = prompt_set(profile.prompts)
    except PromptError:  # the hashes still say which templates they were
        return {}
    names = sorted(file.name.removesuffix(".jinja") for file in prompts.folder.glob("*.jinja"))
    return {
        prompts.template_hash(name): f"{prompts.folder.name}/{name}" for name in names if not name.endswith(".system")
    }
