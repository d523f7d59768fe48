"""The experiments' tables, of what the table ``evaluations`` and the models' records hold; pure functions."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from lgt_assets.markdown import table_of
from lgt_assets.training.comparisons import Difference, Interval, difference, mean_over_seeds
from lgt_assets.training.evaluations import STUDENT
from lgt_assets.training.held_out import IN_DOMAIN

# Of a model: stage, recipe and seed; the student has neither recipe nor seed.
Model = tuple[str, str, str]
THE_STUDENT: Model = (STUDENT, "", "")
MISSING = "not run"


@dataclass(frozen=True)
class Findings:
    """What is known of one release's models.

    Attributes:
        release_id: the release's.
        scores: rows of the table ``evaluations``, the latest of each key.
        hits: whether each question was answered right, by model and suite.
        records: of each model's last training, as :func:`.training_runs.run` leaves it.
        wordings: by suite the share of questions that are worded as the release asks about other pictures.
        leaks: how many of the questions asked stand in the release.
    """

    release_id: str
    scores: pl.DataFrame
    hits: Mapping[tuple[Model, str], Sequence[bool]]
    records: Mapping[Model, Mapping[str, object]]
    wordings: Mapping[str, float] = field(default_factory=dict)
    leaks: int = 0

    def chosen(self, seeds: Collection[str]) -> "Findings":
        """The same of some seeds' models alone, and of the student."""
        wanted = {*seeds, THE_STUDENT[2]}
        return replace(
            self, scores=self.scores.filter(pl.col("seed").is_in(list(wanted))),
            hits={key: hits for key, hits in self.hits.items() if key[0][2] in wanted},
            records={model: record for model, record in self.records.items() if model[2] in wanted},
        )  # fmt: skip

    def seeds(self, stage: str, recipe: str, suite: str = IN_DOMAIN) -> list[str]:
        """Seeds that were scored."""
        return sorted(seed for (one, own, seed), asked in self.hits if (one, own, asked) == (stage, recipe, suite))

    def of(self, stage: str, recipe: str, suite: str, seeds: Iterable[str]) -> list[Sequence[bool]]:
        """What the models of some seeds answered right."""
        return [self.hits[(stage, recipe, seed), suite] for seed in seeds]

    def against(self, first: tuple[str, str], second: tuple[str, str], suite: str = IN_DOMAIN) -> Difference | None:
        """One stage and recipe less another on the seeds whose two models were asked the same; None where there are none."""
        seeds = self.seeds(*first, suite)
        if second[0] != STUDENT:
            seeds = [seed for seed in seeds if seed in self.seeds(*second, suite)]
        elif (THE_STUDENT, suite) not in self.hits:
            return None
        if not seeds:
            return None
        # A longer suite does not begin with a shorter one's questions, where some are passed over.
        most = max(map(len, self.of(*first, suite, seeds)))
        others = {seed: "" if second[0] == STUDENT else seed for seed in seeds}
        pairs = [
            (self.of(*first, suite, [one])[0], self.of(*second, suite, [other])[0]) for one, other in others.items()
        ]
        same = [pair for pair in pairs if len(pair[0]) == len(pair[1]) == most]
        if not same:
            return None
        hits, held_against = ([pair[side] for pair in same] for side in (0, 1))
        return difference(hits, held_against[:1] if second[0] == STUDENT else held_against)


def models_table(
    found: Findings, models: Sequence[tuple[str, str]], seeds: Sequence[str], suite: str = IN_DOMAIN
) -> str:
    """A line for each stage and recipe: the share right of every seed (Wilson), their mean (t), and the student's subtracted."""
    found = found.chosen(seeds)
    heads = ["model", *(f"seed {seed}" for seed in seeds), "mean over seeds", "less the student", "verdict"]
    lines = [_student_line(found, len(seeds), suite)]
    for stage, recipe in models:
        values = [_shares(found, stage, recipe, seed, suite) for seed in seeds]
        known = [sum(found.hits[(stage, recipe, seed), suite]) / len(found.hits[(stage, recipe, seed), suite])
                 for seed in seeds if ((stage, recipe, seed), suite) in found.hits]  # fmt: skip
        compared = found.against((stage, recipe), (STUDENT, ""), suite)
        lines.append([
            named(stage, recipe), *values, share(mean_over_seeds(known)) if known else MISSING,
            *((points(compared.widest), compared.verdict) if compared else (MISSING, MISSING)),
        ])  # fmt: skip
    return table_of(heads, lines, right=range(1, len(heads) - 1))


def kinds_table(found: Findings, models: Sequence[tuple[str, str]], suite: str = IN_DOMAIN) -> str:
    """Shares by question type and by hops, all seeds of a model together."""
    rows = found.scores.filter(pl.col("suite") == suite)
    kinds = [kind for kind in rows["type"].unique().sort() if kind != "all"]
    lines = []
    for kind in sorted(kinds, key=lambda kind: (kind.startswith("hops"), kind)):
        cells = []
        for stage, recipe in [(STUDENT, ""), *models]:
            own = rows.filter(pl.col("stage") == stage, pl.col("recipe") == recipe, pl.col("type") == kind)
            cells.append(f"{own['right'].sum() / own['n'].sum():.2f}" if own.height else MISSING)
        lines.append([kind, *cells])
    heads = ["questions", STUDENT, *(named(*model) for model in models)]
    return table_of(heads, lines, right=range(1, len(heads)))


def transfer_table(found: Findings, models: Sequence[tuple[str, str]], suites: Sequence[str]) -> str:
    """Each model's mean share by suite, and in the next line its difference from the student."""
    lines = [[STUDENT, *(_shares(found, *THE_STUDENT, suite) for suite in suites)]]
    for stage, recipe in models:
        shares, differences = [], []
        for suite in suites:
            known = [sum(own) / len(own) for own in found.of(stage, recipe, suite, found.seeds(stage, recipe, suite))]
            compared = found.against((stage, recipe), (STUDENT, ""), suite)
            shares.append(f"{mean_over_seeds(known).value:.3f}" if known else MISSING)
            differences.append(f"{points(compared.widest)}, {compared.verdict}" if compared else MISSING)
        lines += [[named(stage, recipe), *shares], ["less the student", *differences]]
    return table_of(["model", *suites], lines, right=range(1, len(suites) + 1))


def compute_table(found: Findings, models: Sequence[tuple[str, str]]) -> str:
    """What training took, means over seeds: a model's own last stage, without the stages before it."""
    heads = ["model", "seeds", "steps", "rows a step", "tokens", "operations", "seconds", "of them on a CPU"]
    lines = []
    for stage, recipe in models:
        own = [record for (one, other, _), record in found.records.items() if (one, other) == (stage, recipe)]
        if not own:
            continue
        budget = own[0]["budget"]
        lines.append([
            named(stage, recipe), str(len(own)), str(budget["steps"]), str(budget["batch"]),
            *(_mean(record.get(name) for record in own) for name in ("tokens", "operations", "seconds", "cpu_seconds")),
        ])  # fmt: skip
    return table_of(heads, lines, right=range(1, len(heads)))


def asked_table(found: Findings) -> str:
    """Suites, how many questions of each the models were asked, and how many are worded as some training question is."""
    totals = found.scores.filter(pl.col("type") == "all").group_by("suite").agg(
        pl.col("n").min().alias("low"), pl.col("n").max().alias("high"), pl.len().alias("models")
    ).sort("suite")  # fmt: skip
    lines = [
        [
            row["suite"], str(row["models"]), str(row["low"]) if row["low"] == row["high"] else f"{row['low']} to {row['high']}",
            f"{found.wordings[row['suite']]:.0%}" if row["suite"] in found.wordings else "not measured",
        ]
        for row in totals.iter_rows(named=True)
    ]  # fmt: skip
    return table_of(
        ["suite", "models", "questions each", "worded as the release asks of other pictures"], lines, right=(1, 2, 3)
    )


def named(stage: str, recipe: str) -> str:
    """``long``; ``long, then DPO``."""
    return STUDENT if stage == STUDENT else recipe if stage == "sft" else f"{recipe}, then {stage.upper()}"


def share(one: Interval) -> str:
    """A share with its interval, inside of [0, 1]."""
    if math.isinf(one.high):
        return f"{one.value:.3f} (one seed)"
    return f"{one.value:.3f} ({max(0.0, one.low):.3f} to {min(1.0, one.high):.3f})"


def points(one: Interval) -> str:
    """A difference in percentage points."""
    return f"{100 * one.value:+.1f} ({100 * one.low:+.1f} to {100 * one.high:+.1f})"


def _student_line(found: Findings, seeds: int, suite: str) -> list[str]:
    return [STUDENT, *[""] * seeds, _shares(found, *THE_STUDENT, suite), "", ""]


def _shares(found: Findings, stage: str, recipe: str, seed: str, suite: str) -> str:
    rows = found.scores.filter(
        pl.col("stage") == stage, pl.col("recipe") == recipe, pl.col("seed") == seed, pl.col("suite") == suite,
        pl.col("type") == "all",
    )  # fmt: skip
    for row in rows.iter_rows(named=True):
        return f"{row['right'] / row['n']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
    return MISSING


def _mean(values: Iterator[object]) -> str:
    known = [float(value) for value in values if isinstance(value, int | float)]
    if not known:
        return "not measured"
    mean = sum(known) / len(known)
    return f"{mean:.2e}" if mean > 1e9 else f"{mean:,.0f}"
