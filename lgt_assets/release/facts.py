"""Everything that a release remembers about how it was made: one JSON-able dict, from which its card can be written again.

No clock, no path of this machine, and no sum that depends on the order of rows is in it: equal tables and profile, equal facts.
"""

from collections.abc import Mapping

import polars as pl

from lgt_assets.release.method_rates import method_rates
from lgt_assets.release.models_used import base_name, models_used
from lgt_assets.release.picture_sources import shown_pictures, source_facts
from lgt_assets.release.row_statistics import example, statistics
from lgt_assets.release.tallied import counts
from lgt_assets.settings import Profile

FACTS_VERSION = 1
FACT_TABLES = (
    "images", "grounded_objects", "seed_questions", "composed_questions", "distilled_cots", "expanded_traces",
    "preference_pairs", "sft_mix", "rl_prompts",
)  # fmt: skip
# Read besides those; of the same shards.
RECORD_TABLES = ("generations", "rejections", "funnel")
SECTIONS = ("questions", "compose", "distill", "expand", "pairs", "mix", "rl", "release")
SECTIONS_OF_ROLES = {"captions": "captioner", "detect": "detector"}  # which decide where the role is bound
_FUNNEL = ("asked", "parsed", "accepted", "rejected")


def release_facts(
    tables: Mapping[str, pl.LazyFrame],
    released: Mapping[str, pl.LazyFrame],
    profile: Profile,
    *,
    template_names: Mapping[str, str],
    audits: Mapping[str, Mapping],
    shards: int,
) -> dict:
    """What a card says besides the files themselves; memory does not grow with texts.

    Args:
        tables: lazy frames of :data:`FACT_TABLES` and :data:`RECORD_TABLES`, of the released shards at their pinned versions.
        released: lazy frames of those tables that exclusions are taken from, less what is excluded; others may be missing.
        profile: the thresholds.
        template_names: see :func:`.models_used.template_names`.
        audits: what :func:`lgt_assets.audit.scores.audit_summary` says of these shards.
        shards: how many there are.

    Returns:
        JSON-able values; ``models`` (:func:`.models_used.models_used`), ``thresholds`` (section, name, value, description),
        ``funnel`` (table, rows, asked, parsed, accepted, rejected by reason), ``audits``, ``method``
        (:func:`.method_rates.method_rates`), ``pictures`` (:func:`.picture_sources.source_facts`), ``statistics``
        (:func:`.row_statistics.statistics`), ``example`` (:func:`.row_statistics.example`), ``decontaminated_against`` (names
        of files).
    """
    left = dict(tables) | dict(released)
    return {
        "facts_version": FACTS_VERSION,
        "profile": {
            "name": profile.name, "description": profile.description, "prompts": base_name(profile.prompts),
        },
        "shards": shards,
        "models": models_used(tables["generations"], template_names, FACT_TABLES),
        "thresholds": thresholds(profile),
        "funnel": funnel(tables),
        "audits": {table: dict(summary) for table, summary in audits.items()},
        "method": method_rates(tables),
        "pictures": source_facts(shown_pictures(left), tables["grounded_objects"]),
        "statistics": statistics(left),
        "example": example(left),
        "decontaminated_against": [path.name for path in profile.release.decontaminate],
    }  # fmt: skip


def thresholds(profile: Profile) -> list[dict]:
    """Every setting that decides what is made and kept: section, name, value and description; no path of this machine."""
    found = []
    bound = [section for section, role in SECTIONS_OF_ROLES.items() if profile.binds(role)]
    for section in (*bound, *SECTIONS):
        settings = getattr(profile, section)
        values = settings.model_dump(mode="json")
        for name, field in type(settings).model_fields.items():
            value = [path.name for path in settings.decontaminate] if name == "decontaminate" else values[name]
            found.append({"section": section, "name": name, "value": value, "description": field.description or ""})
    return found


def funnel(tables: Mapping[str, pl.LazyFrame]) -> list[dict]:
    """For each table its rows, what was asked, parsed, accepted and rejected, and the rejections by reason, most first."""
    sums = counts(tables["funnel"], "asset", name="shards", sums=[pl.col(*_FUNNEL).sum()])
    by_asset = {row["asset"]: row for row in sums}
    rejected = counts(tables["rejections"], "asset", "reason")
    found = []
    for table in FACT_TABLES:
        own = by_asset.get(table, dict.fromkeys(_FUNNEL, 0))
        reasons = sorted((-row["rows"], row["reason"]) for row in rejected if row["asset"] == table)
        rows = tables[table].select(pl.len()).collect(engine="streaming").item()
        found.append({"table": table, "rows": rows} | {name: own[name] for name in _FUNNEL} | {
            "reasons": {reason: -count for count, reason in reasons}
        })  # fmt: skip
    return found
