"""The method report as markdown: one table a section, numbers with their counts, nothing where nothing was measured."""

from collections.abc import Callable, Sequence
from pathlib import Path

from lgt_assets.errors import SettingsError

NOT_MEASURED = "not measured"
BEGIN, END = "<!-- lgt method: begin -->", "<!-- lgt method: end -->"
Rows = Sequence[dict]


def markdown(report: dict) -> str:
    """The sections of :func:`.method_report.build_method_report` under headings of the third level."""
    parts = []
    for name, (title, columns, cells) in SECTIONS.items():
        rows = report.get(name, [])
        parts.append(
            f"### {title}\n\n{_table(columns, [cells(row) for row in rows]) if rows else _sentence(NOT_MEASURED)}"
        )
    return "\n\n".join(parts) + "\n"


def put_into(page: str, text: str, *, where: str, marks: tuple[str, str] = (BEGIN, END)) -> str:
    """``page`` with ``text`` between its two marker comments, ``marks``.

    Raises:
        SettingsError: ``where`` (the page's name) has not each marker once, in order.
    """
    begin, end = marks
    if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
        raise SettingsError(f"{where} must have the lines {begin!r} and {end!r} once each, in this order")
    before, _, rest = page.partition(begin)
    return f"{before}{begin}\n\n{text.strip()}\n\n{end}{rest.partition(end)[2]}"


def write_into(path: Path, text: str, *, marks: tuple[str, str] = (BEGIN, END)) -> None:
    """Replace what stands between the markers of the page at ``path``.

    Raises:
        SettingsError: the file cannot be read, or lacks the markers.
    """
    from lgt_assets.sources.files import write_atomically

    write_atomically(path, put_into(_page(path, marks), text, where=str(path), marks=marks).encode("utf-8"))


def require_marks(path: Path, *, marks: tuple[str, str] = (BEGIN, END)) -> None:
    """See before long work that :func:`write_into` will find its place.

    Raises:
        SettingsError: the file cannot be read, or lacks the markers.
    """
    put_into(_page(path, marks), "", where=str(path), marks=marks)


def _page(path: Path, marks: tuple[str, str]) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}; give a page with the markers {' and '.join(marks)}") from error


def _sentence(text: str) -> str:
    return f"{text.capitalize()}."


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A markdown table; a column whose name begins with ``#`` holds numbers and is set to the right."""
    head = " | ".join(column.removeprefix("#") for column in columns)
    sides = " | ".join("--:" if column.startswith("#") else "---" for column in columns)
    body = [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    return "\n".join([f"| {head} |", f"| {sides} |", *body])


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value).replace("|", "\\|").replace("\n", " ")


def _number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _interval(share: dict) -> str:
    """A share with its interval and count."""
    if share["rate"] is None:
        return "–"
    return f"{_percent(share['rate'])} [{100 * share['low']:.1f}, {100 * share['high']:.1f}] of {share['samples']:,}"


def _kind(row: dict) -> tuple:
    return (row["kind"] or "all", row["hops"] or "all")


SECTIONS: dict[str, tuple[str, Sequence[str], Callable[[dict], Sequence[object]]]] = {
    "rejections": (
        "Rejection rate per stage and reason", ("stage", "#kept", "reason", "#rejected", "#rate"),
        lambda row: (row["stage"], row["kept"], row["reason"], row["rejected"], _percent(row["rate"])),
    ),
    "checks": (
        "Measures before and after the filters (means)", ("stage", "measure", "#before", "#n before", "#after", "#n after"),
        lambda row: (
            row["stage"], row["measure"], _number(row["before"]), row["before_n"], _number(row["after"]), row["after_n"],
        ),
    ),
    "key_accuracy": (
        "True keys on rendered scenes", ("stage", "filters", "#judged", "#right", "#accuracy"),
        lambda row: (row["stage"], row["when"], row["judged"], row["right"], _percent(row["accuracy"])),
    ),
    "diversity": (
        "Diversity of seed questions against their number",
        ("about", "#questions", "#distinct questions", "#distinct-1", "#distinct-2", "#distinct-3", "#compressed"),
        lambda row: (
            row["questions_about"], row["questions"],
            *(_number(row[name]) for name in ("distinct_questions", "distinct_1", "distinct_2", "distinct_3", "compressed")),
        ),
    ),
    "pass_rates": (
        "The VLM's pass rate on composed questions against their parents",
        ("kind", "#hops", "#questions", "#composed", "#parents"),
        lambda row: (*_kind(row), row["questions"], _interval(row["own"]), _interval(row["parents"])),
    ),
    "transitions": (
        "Transitions from simple to expanded answers (O right, X wrong)", ("transition", "#traces", "#share"),
        lambda row: (row["transition"], row["traces"], _percent(row["share"]["rate"])),
    ),
    "behaviours": (
        "Reasoning behaviours by cues", ("thoughts", "behaviour", "#shown in", "#sentences a trace"),
        lambda row: (row["thoughts"], row["behaviour"], _interval(row["shown"]), _number(row["mean_count"])),
    ),
    "behaviour_agreement": (
        "Cues against the verifier's judgment",
        ("behaviour", "#n", "#unread", "#by cues", "#by verifier", "#agreement", "#kappa"),
        lambda row: (
            row["behaviour"], row["n"], row["unread"], _percent(row["cues"]), _percent(row["verifier"]),
            _percent(row["agreement"]), _number(row["kappa"]),
        ),
    ),
    "pairs": (
        "Preference pairs: counts and length of chosen : rejected",
        ("kind", "#pairs", "#mean ratio", "#median ratio", "#chosen longer"),
        lambda row: (
            row["kind"], row["pairs"], _number(row["mean_ratio"]), _number(row["length_ratio"]), _percent(row["chosen_longer"]),
        ),
    ),
}  # fmt: skip
