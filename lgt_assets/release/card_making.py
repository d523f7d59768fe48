"""Sections of a card on how a release was made: models, settings, funnel, audits, what was left out."""

from collections.abc import Iterable, Mapping, Sequence

from lgt_assets.release.card_wording import code, count, folded, interval, percent, setting, table, text

SHOWN_HASH = 12
# Tables that people can judge, in data order.
JUDGED = ("seed_questions", "composed_questions", "distilled_cots", "expanded_traces", "preference_pairs")
REASONS = {
    "benchmark_picture": "looks like a benchmark's picture",
    "benchmark_question": "asks what a benchmark asks",
    "parent_left_out": "is composed of a question that was left out",
    "repeated_wording": "comes after as many of its wording as are kept",
    "duplicate_question": "asks what another question about the same picture asks",
    "near_duplicate": "asks nearly what another question about the same picture asks",
    "placeholder_in_text": "holds a placeholder for a picture, which trainers replace",
    "special_token_in_text": "holds a special token of a chat model",
}


def models_section(facts: Mapping) -> str:
    """Which model did what, with which prompt."""
    models: dict[tuple, dict] = {}
    for row in facts["models"]:
        own = models.setdefault(
            (row["model"], row["revision"], row["engine"]), {"roles": [], "requests": 0, "tokens": 0}
        )
        own["roles"] += [row["role"]] if row["role"] not in own["roles"] else []
        own["requests"] += row["requests"]
        own["tokens"] += row["completion_tokens"]
    named = [
        [
            text(model),
            text(_short(revision)),
            text(engine),
            ", ".join(own["roles"]),
            count(own["requests"]),
            count(own["tokens"]),
        ]
        for (model, revision, engine), own in models.items()
    ]
    prompts = [
        [
            code(row["asset"]), row["role"], text(row["model"]), text(row["revision"] or "–"),
            text(row["template"] or "(not named)"), code(row["template_hash"]),
            _sampling(row["sampling"]), count(row["requests"]),
        ]
        for row in facts["models"]
    ]  # fmt: skip
    profile = facts["profile"]
    heads = ["model", "revision", "engine", "roles", "completions", "tokens written"]
    asked = ["table", "role", "model", "revision", "prompt", "sha256 of its template", "sampling", "completions"]
    return "\n\n".join([
        f"Profile {text(profile['name'])}, prompt set {text(profile['prompts'])}; shards: {count(facts['shards'])}.",
        table(heads, named, right=(4, 5)),
        folded("Every model with its revision, prompts by hash, and sampling", table(asked, prompts, right=(7,))),
        folded("All settings that decided", _settings(facts["thresholds"])),
    ])  # fmt: skip


def _short(revision: str) -> str:
    """A hash by its start; the whole of it stands below."""
    return f"{revision[:SHOWN_HASH]}…" if len(revision) > 2 * SHOWN_HASH else revision or "–"


def _sampling(sampling: Mapping) -> str:
    shown = [f"temperature {sampling.get('temperature')}"]
    shown += [f"top_p {sampling['top_p']}"] if sampling.get("top_p", 1) != 1 else []
    shown += [f"top_k {sampling['top_k']}"] if sampling.get("top_k", 0) else []
    return text(", ".join([*shown, f"at most {sampling.get('max_tokens')} tokens"]))


def _settings(thresholds: Iterable[Mapping]) -> str:
    rows = [
        [code(f"{row['section']}.{row['name']}"), setting(row["value"]), text(row["description"])] for row in thresholds
    ]
    return table(["setting", "value", ""], rows)


def funnel_section(facts: Mapping) -> str:
    """What each table was asked for and kept, and why the rest was not."""
    rows = [
        [
            code(row["table"]), count(row["asked"]) if row["asked"] else "", count(row["accepted"]), count(row["rejected"]),
            percent(row["rejected"] / judged) if (judged := row["accepted"] + row["rejected"]) else "",
            ", ".join(f"{text(reason)} {count(number)}" for reason, number in row["reasons"].items()),
        ]
        for row in facts["funnel"]
    ]  # fmt: skip
    heads = ["table", "asked", "kept", "rejected", "share", "rejected because"]
    return table(heads, rows, right=(1, 2, 3, 4))


def audit_section(facts: Mapping) -> str:
    """Error rates that people found, or plainly that nobody looked."""
    audits = facts["audits"]
    if not audits:
        return (
            "**Nobody has audited these shards**: no row was judged by a person, so that no error rate is known. "
            "`lgt audit sample` draws rows to be judged."
        )
    rows = [
        [
            code(name), count(audit["rows"]), count(audit["auditors"]),
            interval(audit["error_rate"], audit["low"], audit["high"]),
            ", ".join(f"{kind} {interval(one['rate'], one['low'], one['high'])}" for kind, one in audit["kinds"].items()),
            percent(audit["agreement"]),
        ]
        for name, audit in audits.items()
    ]  # fmt: skip
    unseen = [code(name) for name in JUDGED if name not in audits]
    after = f"\n\nNobody has audited {', '.join(unseen)}." if unseen else ""
    heads = ["table", "rows judged", "people", "wrong (95 % interval)", "kinds of error", "agreement"]
    return table(heads, rows, right=(1, 2)) + after


def left_out_section(facts: Mapping, excluded: Sequence[Mapping]) -> str:
    """Exclusions by reason, and against which benchmarks was looked."""
    rows = [
        [code(row["table"]), text(row["reason"]), REASONS.get(row["reason"], ""), count(row["rows"])]
        for row in excluded
    ]
    names = facts["decontaminated_against"]
    settings = {row["name"]: row["value"] for row in facts["thresholds"] if row["section"] == "release"}
    if names:
        against = (
            f"Decontaminated against {', '.join(text(name) for name in names)}: pictures whose perceptual hashes differ in "
            f"at most {settings['picture_distance']} bits of 64, and questions that share runs of {settings['ngram']} words with "
            f"a benchmark's over {percent(settings['ngram_share'])} of their words."
        )
    else:
        against = (
            "**Not decontaminated**: no benchmark was listed (`release.decontaminate`), so that overlap is not known."
        )
    told = "With a row, all that was made of it is left out." if rows else "Nothing was left out."
    listed = table(["table", "reason", "", "rows"], rows, right=(3,)) if rows else ""
    return "\n\n".join(part for part in (against, told, listed) if part)
