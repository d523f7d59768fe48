"""Whether right answers and types of questions are spread as they should be."""

from collections import Counter

import polars as pl

from lgt_assets.quality.findings import Finding, Slice, too_few
from lgt_assets.synthesis.intervals import wilson_interval

LEAST_EXPECTED = 5
# Where each table says how many choices there are and which is right; samples of one question are one case.
POSITIONS = {
    "seed_questions": ("question_id", "choices", "answer_index"),
    "composed_questions": ("question_id", "choices", "answer_index"),
    "distilled_cots": ("question_id", "choices_shown", "right_index"),
}


def chi_square(groups: list[list[int]]) -> tuple[float, int, float]:
    """Pearson's chi-square of counts against even ones: statistic, degrees of freedom, p (1 without freedom).

    A group without cases says nothing.

    Args:
        groups: for each number of choices, how often each position is right.
    """
    from scipy.special import chdtrc  # what scipy.stats.chi2.sf calls, without the half second that it takes to load

    statistic, freedom = 0.0, 0
    for counts in filter(any, groups):
        even = sum(counts) / len(counts)
        statistic += sum((count - even) ** 2 / even for count in counts)
        freedom += len(counts) - 1
    return statistic, freedom, float(chdtrc(freedom, statistic)) if freedom else 1.0


def answer_positions(rows: Slice) -> Finding:
    """Right answers fall on all positions alike: a model that learns "A" learns nothing."""
    key, choices, index = POSITIONS[rows.table]
    counted = (
        rows.scan(key, choices, index)
        .select(key, pl.col(choices).list.len().alias("choices"), pl.col(index).alias("position"))
        .filter(pl.col("position") >= 0, pl.col("position") < pl.col("choices"))
        .unique(key)
        .group_by("choices", "position")
        .len()
        .collect(engine="streaming")
    )
    by_choices: dict[int, Counter] = {}
    for count, position, number in counted.iter_rows():
        by_choices.setdefault(count, Counter())[position] += number
    settings, questions = rows.settings, int(counted["len"].sum())
    groups = [
        [positions[place] for place in range(count)]
        for count, positions in sorted(by_choices.items())
        if count > 1 and positions.total() >= LEAST_EXPECTED * count
    ]
    judged = sum(map(sum, groups))
    if judged < settings.minimum_rows:
        return too_few(judged, settings.minimum_rows, "questions", {"questions": questions})
    statistic, freedom, p = chi_square(groups)
    deviation = max(abs(count / sum(counts) - 1 / len(counts)) for counts in groups for count in counts)
    most = max(groups, key=sum)
    numbers = {
        "questions": judged, "chi_square": round(statistic, 3), "degrees_of_freedom": freedom, "p": p,
        "largest_deviation": round(deviation, 4), "threshold_p": settings.answer_position_p,
        "threshold_deviation": settings.answer_position_deviation,
    } | {f"right at {chr(ord('A') + place)}": count for place, count in enumerate(most)}  # fmt: skip
    passed = p >= settings.answer_position_p or deviation < settings.answer_position_deviation
    said = f"right answers by position: {most}, p = {p:.3g}"
    advice = "" if passed else ": far from even; look at how choices are written and shuffled"
    return Finding(passed, said + advice, numbers)


def type_quotas(rows: Slice) -> Finding:
    """The profile's types all come, none takes over, and few questions are of another type."""
    from lgt_assets.synthesis.plain_text import plain

    settings, wanted = rows.settings, rows.wanted.questions.types
    named = rows.scan("question_type").collect(engine="streaming")["question_type"]
    counts = Counter(plain(name) for name in named)
    total = counts.total()
    own = {name: counts.pop(plain(name), 0) for name in dict.fromkeys(wanted)}
    others = counts.total()
    least, most = settings.type_share_of_even / len(own), rows.wanted.questions.maximum_type_share
    numbers = {"questions": total, "other_types": others} | {f"of type {name}": count for name, count in own.items()}
    if total < settings.minimum_rows:
        return too_few(total, settings.minimum_rows, "questions", numbers)
    problems = []
    for name, count in own.items():
        low, high = wilson_interval(count, total)
        if high < least:
            problems.append(f"{name} is {count / total:.1%} of the questions, where at least {least:.1%} are wanted")
        if low > most:
            problems.append(f"{name} is {count / total:.1%} of the questions, where at most {most:.1%} are wanted")
    if wilson_interval(others, total)[0] > settings.other_types:
        shown = ", ".join(name for name, _count in counts.most_common(3))
        problems.append(f"{others / total:.1%} are of types that the profile does not name ({shown})")
    numbers |= {
        "threshold_least_share": least,
        "threshold_most_share": most,
        "threshold_other_types": settings.other_types,
    }
    said = "; ".join(problems) or "types: " + ", ".join(f"{name} {count / total:.0%}" for name, count in own.items())
    return Finding(not problems, said, numbers)
