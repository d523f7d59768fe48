"""What became of everything that a shard's asset judged: a table with reasons, counts and shares, and numbers to plot."""

from collections import Counter
from collections.abc import Mapping

import dagster as dg

from lgt_assets.markdown import plain_text, table_of

MOST_REASONS = 24
WORD_CHARACTERS = 60


def funnel_metadata(funnel: Mapping, reasons: Mapping[str, int]) -> dict[str, object]:
    """The funnel of one shard as metadata.

    Args:
        funnel: a row of the table ``funnel``.
        reasons: rejected rows by reason, adding up to its ``rejected``.

    Returns:
        ``funnel`` as a markdown table; each reason's count as ``rejected/<reason>``, the rarest of very many left out of
        these; ``acceptance_rate``, ``reused_share`` and ``tokens_per_device_second`` where they say something.
    """
    judged = funnel["accepted"] + funnel["rejected"]
    common = Counter(dict(sorted(reasons.items()))).most_common()
    given = ["gave something to judge", funnel["parsed"], _share(funnel["parsed"], funnel["asked"])]
    asked = [["asked", funnel["asked"], ""], given] if funnel["asked"] else []  # made of rows alone, nobody is asked
    steps = [
        *asked, ["**accepted**", funnel["accepted"], _share(funnel["accepted"], judged)],
        *([f"rejected: {plain_text(reason, WORD_CHARACTERS)}", count, _share(count, judged)] for reason, count in common),
    ]  # fmt: skip
    shown = steps[: len(asked) + 1 + MOST_REASONS]
    if len(steps) > len(shown):
        rest = sum(count for _, count in common[MOST_REASONS:])
        shown.append([f"rejected: {len(steps) - len(shown)} further reasons", rest, _share(rest, judged)])
    table = table_of(["", "rows", "share"], [[name, f"{count:,}", share] for name, count, share in shown], right=(1, 2))
    return {
        "funnel": dg.MetadataValue.md(table), **{f"rejected/{reason[:WORD_CHARACTERS]}": n for reason, n in common[:MOST_REASONS]}
    } | _rates(funnel, judged)  # fmt: skip


def _share(count: int, of: int) -> str:
    return f"{count / of:.1%}" if of else ""


def _rates(funnel: Mapping, judged: int) -> dict[str, float]:
    """Numbers that Dagit plots over time; one that has nothing to be a share of is left out."""
    requests = funnel["requests_sent"] + funnel["requests_reused"]
    found = {
        "acceptance_rate": (funnel["accepted"], judged), "reused_share": (funnel["requests_reused"], requests),
        "tokens_per_device_second": (funnel["completion_tokens"], funnel["device_seconds"]),
    }  # fmt: skip
    return {name: float(f"{part / whole:.6g}") for name, (part, whole) in found.items() if whole}
