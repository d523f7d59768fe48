from collections.abc import Mapping, Sequence

import pytest

from lgt_assets.charts import draw_panels
from lgt_assets.embedded.evaluation import Share
from lgt_assets.schemas import frame
from lgt_assets.training.evaluations import TABLE
from lgt_assets.training.held_out import IN_DOMAIN, MORE_OBJECTS
from lgt_assets.training.insight_page import FINE_TUNED, budgets_sentence, compute_sentence, page, panels, sentence
from lgt_assets.training.insight_tables import THE_STUDENT, Findings, Model, models_table, transfer_table

SEEDS = ("0", "1", "2")
BUDGET = {"steps": 60, "batch": 16}


def found(
    hits: Mapping[tuple[Model, str], Sequence[bool]], records: Mapping[Model, Mapping[str, object]] | None = None
) -> Findings:
    rows = []
    for (model, suite), own in hits.items():
        low, high = Share(sum(own), len(own)).interval()
        names = dict(zip(("stage", "recipe", "seed"), model, strict=True))
        for kind in ("all", "Counting", "hops: 1"):
            rows.append({
                "number": 1, "release_id": "r", **names, "weights": "0" * 16, "suite": suite, "type": kind, "n": len(own),
                "right": sum(own), "low": low, "high": high, "well_formed": 0, "tokens": 1, "seconds": 1.0,
            })  # fmt: skip
    return Findings("r", frame(TABLE, rows), hits, records or {}, {IN_DOMAIN: 0.5})


def answers(right: int, of: int = 100) -> list[bool]:
    return [number < right for number in range(of)]


KNOWN = {(THE_STUDENT, IN_DOMAIN): answers(20)} | {
    (("sft", recipe, seed), IN_DOMAIN): answers(right + int(seed))
    for recipe, right in {"direct": 20, "long": 60}.items()
    for seed in SEEDS
}


def test_a_table_has_every_seed_the_mean_and_the_student_subtracted() -> None:
    lines = models_table(found(KNOWN), FINE_TUNED, SEEDS).splitlines()
    by_name = {line.split(" | ")[0].strip("| "): line for line in lines}
    assert "0.600 (0.502 to 0.691) | 0.610" in by_name["long"] and "+41.0 (" in by_name["long"]
    assert by_name["long"].endswith("better |") and by_name["direct"].endswith("within the noise |")
    assert by_name["merged"].count("not run") == 6
    assert "0.200 (0.133 to 0.289)" in by_name["student"]


def test_a_sentence_says_on_how_much_it_stands_and_whether_it_is_noise() -> None:
    assert sentence(found(KNOWN), ("sft", "long"), ("sft", "direct")).endswith(
        "3 seeds, 100 questions each: **better**."
    )
    same = {key: answers(50 if key[0][1] == "long" else 49) for key in KNOWN}
    assert "within the noise" in sentence(found(same), ("sft", "long"), ("sft", "direct"))
    assert sentence(found(KNOWN), ("sft", "merged"), ("sft", "stage_1")) == "- merged less stage_1: not run."


def test_only_seeds_that_both_have_are_compared() -> None:
    fewer = {key: own for key, own in KNOWN.items() if key[0] not in {("sft", "direct", "1"), ("sft", "direct", "2")}}
    assert "1 seed, 100 questions" in sentence(found(fewer), ("sft", "long"), ("sft", "direct"))
    assert "better, of one seed" in sentence(found(fewer), ("sft", "long"), ("sft", "direct"))


def test_models_that_were_asked_other_questions_are_not_compared() -> None:
    shorter = KNOWN | {(("sft", "direct", "1"), IN_DOMAIN): answers(20, 60)}
    assert "2 seeds, 100 questions each" in sentence(found(shorter), ("sft", "long"), ("sft", "direct"))
    for seed in SEEDS:
        shorter |= {(("sft", "direct", seed), IN_DOMAIN): answers(20, 60)}
    assert "long less direct: not run" in sentence(found(shorter), ("sft", "long"), ("sft", "direct"))
    assert page(found(shorter), SEEDS)


def test_seeds_that_were_not_chosen_count_nowhere() -> None:
    other = KNOWN | {(("sft", "long", "2"), IN_DOMAIN): answers(0)}
    first_two = page(found({key: own for key, own in KNOWN.items() if key[0][2] != "2"}), SEEDS[:2])
    assert page(found(other), SEEDS[:2]) == first_two and page(found(other), SEEDS) != first_two
    alone = models_table(found({key: own for key, own in KNOWN.items() if key[0][2] != "2"}), FINE_TUNED, SEEDS[:2])
    assert models_table(found(other), FINE_TUNED, SEEDS[:2]) == alone


def test_budgets_are_those_of_the_records() -> None:
    records = {("sft", recipe, "0"): {"budget": BUDGET} for recipe in ("long", "direct")}
    assert budgets_sentence(found(KNOWN, records)).startswith("Steps x rows a step: SFT 60 x 16; tokens")
    records[("sft", "long", "1")] = {"budget": BUDGET | {"steps": 5}}
    assert "SFT 5 x 16 and 60 x 16 (**not** the same" in budgets_sentence(found(KNOWN, records))


@pytest.mark.parametrize(("operations", "said"), [(1.1e12, "1.10 times"), (3e12, "**not** equal compute")])
def test_compute_is_counted_and_not_claimed(operations: float, said: str) -> None:
    records = {
        ("dpo", "merged", "0"): {"budget": BUDGET, "operations": 1e12},
        ("grpo", "merged", "0"): {"budget": BUDGET, "operations": operations},
        ("grpo", "merged", "1"): {"budget": BUDGET, "operations": 9e12},
    }
    assert said in compute_sentence(found(KNOWN, records))
    assert compute_sentence(found(KNOWN)) == "Compute of DPO and GRPO: not measured."


def test_transfer_is_told_by_suite() -> None:
    hits = KNOWN | {((stage, recipe, seed), MORE_OBJECTS): answers(10, 50) for (stage, recipe, seed), _ in KNOWN}
    table = transfer_table(found(hits), [("sft", "long")], [MORE_OBJECTS])
    assert "| long | 0.200 |" in table and "+0.0 (+0.0 to +0.0), within the noise" in table


def test_the_page_tells_what_was_not_run_and_draws_what_was() -> None:
    records = {("sft", "long", seed): {"budget": BUDGET, "tokens": 900, "seconds": 80.0} for seed in SEEDS}
    told = page(found(KNOWN, records), SEEDS)
    assert "7 models scored" in told and "merged, then GRPO less merged: not run." in told
    assert (
        "| long | 3 | 60 | 16 | 900 | not measured | 80 | not measured |" in told
        and "| held_out | 7 | 100 | 50% |" in told
    )
    assert draw_panels(panels(found(KNOWN)))
