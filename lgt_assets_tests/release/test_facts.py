"""Facts depend on what the tables hold: not on the order of rows, not on this machine."""

import json
from pathlib import Path

import polars as pl

from lgt_assets.release.facts import release_facts, thresholds
from lgt_assets.release.row_statistics import MOST_TYPES, OTHER_TYPES, question_types
from lgt_assets.settings import load_profile
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.release.made_card import made_facts, scans


def test_they_are_the_same_after_a_round_through_json(facts: dict) -> None:
    assert json.loads(json.dumps(facts)) == facts


def test_the_order_of_rows_changes_nothing(store: DeltaStore, facts: dict) -> None:
    shuffled = {
        name: rows.collect().sample(fraction=1, shuffle=True, seed=3).lazy() for name, rows in scans(store).items()
    }
    again = release_facts(shuffled, {}, load_profile("embedded"), template_names={}, audits={}, shards=2)
    assert json.dumps(again) == json.dumps(facts)


def test_no_path_of_this_machine_is_in_them(store: DeltaStore, tmp_path: Path) -> None:
    benchmark = tmp_path / "secret" / "vstar.jsonl"
    profile = load_profile("embedded")
    profile = profile.model_copy(
        update={
            "release": profile.release.model_copy(update={"decontaminate": (benchmark,)}),
            "prompts": "/srv/prompts/own",
        }
    )
    told = made_facts(store, profile)
    text = json.dumps(told)
    assert "vstar.jsonl" in text and "secret" not in text and "/srv" not in text and "/home" not in text
    assert told["models"][0]["model"] == "Vision-7B" and told["profile"]["prompts"] == "own"
    assert told["decontaminated_against"] == ["vstar.jsonl"]


def test_completions_are_counted_by_model_and_prompt(store: DeltaStore, facts: dict) -> None:
    (row,) = facts["models"]
    assert (row["asset"], row["role"], row["requests"]) == ("distilled_cots", "vlm", 2)
    assert row["completion_tokens"] == store.read("generations")["completion_tokens"].sum()
    assert row["sampling"] == {"temperature": 1.0, "max_tokens": 64} and row["template"] is None
    named = made_facts(store, template_names={row["template_hash"]: "own/vlm"})
    assert named["models"][0]["template"] == "own/vlm"


def test_the_funnel_names_reasons_from_the_most_frequent_down(facts: dict) -> None:
    funnel = {row["table"]: row for row in facts["funnel"]}
    assert list(funnel["distilled_cots"]["reasons"].items()) == [("no_answer", 3), ("cut_off", 2)]
    assert funnel["distilled_cots"]["accepted"] == 8 and funnel["distilled_cots"]["rejected"] == 5
    assert funnel["seed_questions"]["rows"] == 4 and not funnel["seed_questions"]["reasons"]


def test_a_rejected_sample_counts_as_not_right(facts: dict) -> None:
    rates = {row["stage"]: row for row in facts["method"]["pass_rates"]}
    assert (rates[1]["right"], rates[1]["samples"]) == (4, 8 + 5)
    assert (rates[2]["right"], rates[2]["samples"]) == (1, 2)
    assert rates[1]["low"] < rates[1]["rate"] < rates[1]["high"]


def test_only_pictures_that_a_row_shows_are_counted(store: DeltaStore, facts: dict) -> None:
    assert sum(row["pictures"] for row in facts["pictures"]["sources"]) == 3
    shown = scans(store)
    for name in ("sft_mix", "preference_pairs", "rl_prompts"):
        shown[name] = shown[name].filter(pl.col("shard") == "made-00001")
    fewer = release_facts(scans(store), shown, load_profile("embedded"), template_names={}, audits={}, shards=2)
    assert sum(row["pictures"] for row in fewer["pictures"]["sources"]) == 1
    assert fewer["funnel"] == facts["funnel"]


def test_every_setting_of_the_profile_that_decides_is_told() -> None:
    told = {(row["section"], row["name"]): row for row in thresholds(load_profile("embedded"))}
    assert told["questions", "maximum_blindness"]["value"] == 0.67
    assert "Share of blind votes" in told["questions", "maximum_blindness"]["description"]
    assert {section for section, _ in told} == {
        "questions", "compose", "distill", "expand", "pairs", "mix", "rl", "release",
    }  # fmt: skip


def test_the_example_is_a_long_one_of_the_second_stage(facts: dict) -> None:
    assert facts["example"]["recipe"] == "long" and facts["example"]["stage"] == 2


def test_more_types_than_can_be_told_apart_are_one() -> None:
    names = [f"type {n:03}" for n in range(60) for _ in range(60 - n)]
    rows = pl.LazyFrame({"question_type": names, "hops": [1] * len(names)})
    found = question_types({"seed_questions": rows, "composed_questions": rows.clear()})
    assert len(found) == MOST_TYPES + 1 and found[-1]["question_type"] == OTHER_TYPES
    assert sum(row["questions"] for row in found) == len(names)
