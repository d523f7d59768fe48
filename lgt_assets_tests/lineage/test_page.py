"""The page shows a row with all that belongs to it, in one file that loads nothing, and text from models stays text."""

import json
import re

import pytest

from lgt_assets.errors import NotFoundError
from lgt_assets.identity import digest
from lgt_assets.lineage.cards import CHOICES, FACTS, MESSAGES, PLACED, TEXTS, card_of, messages_of
from lgt_assets.lineage.declarations import KEYS, references_of
from lgt_assets.lineage.dossier import read_dossier
from lgt_assets.lineage.page import render_lineage
from lgt_assets.lineage.subject import find
from lgt_assets.schemas import frame, polars_schema
from lgt_assets_tests.audit.test_page import ATTACK, Page, plant
from lgt_assets_tests.made_tables import generation_row, made_id, made_rows
from lgt_assets_tests.rows import SHARD

TRACE, COT = made_id("expanded_traces"), made_id("distilled_cots", 0)


def page_of(folder, text: str) -> Page:
    return Page(render_lineage(read_dossier(find(folder, text))))


def ids_of(page: Page) -> set[str]:
    return {attributes["id"] for _, attributes in page.tags if "id" in attributes}


def write_generations(store, asset: str, **changes: object) -> None:
    """A completion of the made trace (``expanded_traces``) or of its chain (``distilled_cots``)."""
    key = {"expanded_traces": digest("trace"), "distilled_cots": digest("cot", 0)}[asset]
    turns = json.dumps([{"role": "user", "text": "Both?", "images": []}])
    row = generation_row(asset, key, "So it is.") | {"ordinal": 0, "prompt": turns} | changes
    store.replace("generations", frame("generations", [row]), shard=SHARD, asset=asset)


@pytest.mark.parametrize("table", KEYS)
def test_no_column_of_any_table_is_left_out(table):
    shown = {KEYS[table], *FACTS[table], *PLACED, *(column for _, column in TEXTS.get(table, ())), MESSAGES.get(table)}
    shown |= {*CHOICES.get(table, ()), *(reference.column for reference in references_of(table))}
    assert set(polars_schema(table)) <= shown
    assert set(FACTS[table]) <= set(polars_schema(table))


def test_a_trace_comes_with_all_that_led_to_it_and_all_that_came_of_it(folder):
    page = page_of(folder, TRACE)
    rows = made_rows()
    above = [rows["images"][0], rows["grounded_objects"][0], *rows["seed_questions"], rows["composed_questions"][0]]
    expected = {row[key] for row, key in zip(above[1:], ["object_id", *["question_id"] * 3], strict=True)}
    assert expected | {TRACE, COT, made_id("sft_mix")} <= ids_of(page)
    assert made_id("rl_prompts") not in ids_of(page)
    for words in (
        "Both?",
        "(A) red ✓",
        "I look. Wait,",
        " yes.",
        "A red ball on grass.",
        "cut_off",
        "There is no release yet",
    ):
        assert words in page.text, words
    (box,), (drawing,) = page.of("rect"), page.of("svg")
    assert (box["x"], box["y"], box["width"], box["height"], box["class"]) == ("1.0", "2.0", "29.0", "38.0", "focus")
    assert drawing["viewbox"] == "0 0 100 80" and page.of("img")[0]["src"].startswith("data:image/jpeg;base64,")


def test_boxes_that_the_row_is_not_about_are_thin(folder, store):
    rows = store.read("grounded_objects").to_dicts()
    other = rows[0] | {
        "object_id": made_id("grounded_objects", 7),
        "ordinal": 1,
        "phrase": "other ball",
        "x0": 60.0,
        "x1": 90.0,
    }
    store.replace("grounded_objects", frame("grounded_objects", [*rows, other]), shard=SHARD)
    page = page_of(folder, TRACE)
    assert [box["class"] for box in page.of("rect")] == ["focus", "other"]
    assert page.text.count("other ball") == 1  # its title; the strong one is labelled, too
    assert [box["class"] for box in page_of(folder, other["object_id"]).of("rect")] == ["other", "focus"]


def test_a_picture_s_page_has_all_rows(folder):
    page = page_of(folder, made_id("expanded_traces"))
    whole = page_of(folder, read_dossier(find(folder, TRACE)).image["image_id"])
    assert ids_of(page) < ids_of(whole)
    assert {made_id("rl_prompts"), made_id("preference_pairs"), made_id("distilled_cots", 1)} <= ids_of(whole)


def test_every_completion_says_what_decided_it(folder, store):
    prompt = json.dumps([{"role": "user", "text": "Look at\nit.", "images": ["ab" * 32]}])
    write_generations(
        store, "expanded_traces", model="reasoner-32b", revision="r7", engine="vllm_offline", template_hash="th", seed=77,
        sampling='{"temperature": 0.7}', prompt=prompt, prefix="<think>I look.", prompt_tokens=11,
        completion_tokens=22, seconds=1.25,
    )  # fmt: skip
    text = page_of(folder, TRACE).text
    for words in ("reasoner-32b", "r7", "vllm_offline", "th", '{"temperature": 0.7}', "77", "11 in the prompt", "22 new", "1.250",
                  "Look at\nit.", "ab" * 32, "<think>I look.", "So it is."):  # fmt: skip
        assert words in text, words


def test_equal_prompts_are_shown_once(folder, store):
    for asset in ("expanded_traces", "distilled_cots"):
        write_generations(store, asset, prompt='[{"role": "user", "text": "The same.", "images": []}]')
    page = page_of(folder, TRACE)
    assert page.text.count("The same.") == 1
    targets = [link["href"] for link in page.of("a") if link["href"].startswith("#prompt-")]
    assert len(targets) >= 2 and len(set(targets)) == 2  # one prompt of both, and the made question's own


def test_links_lead_to_places_on_the_page_and_to_nowhere_else(folder, store):
    write_generations(store, "expanded_traces")
    for name in (
        TRACE,
        COT,
        digest("trace"),
        store.read("rejections")["rejection_id"][0],
        store.read("images")["image_id"][0],
    ):
        page = page_of(folder, name)
        places = ids_of(page)
        assert len([1 for _, attributes in page.tags if "id" in attributes]) == len(places)
        for tag, attributes in page.tags:
            assert attributes.get("href", "#rows").removeprefix("#") in places, (name, attributes)
            assert attributes.get("src", "data:").startswith("data:image/jpeg;base64,") or tag != "img"
            assert not {"srcset", "style", "action"} & set(attributes) and not any(
                one.startswith("on") for one in attributes
            )


def test_no_script_runs_and_nothing_is_loaded(folder):
    page = page_of(folder, TRACE)
    assert not page.of("script") and not page.of("link") and not page.of("iframe")
    (policy,) = [meta["content"] for meta in page.of("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert re.fullmatch(
        r"default-src 'none'; img-src data:; style-src 'sha256-\S+'; base-uri 'none'; form-action 'none'", policy
    )


def test_text_from_models_stays_text(folder, store):
    write_generations(store, "expanded_traces")
    clean = page_of(folder, TRACE)
    plant(store, "expanded_traces", thought=ATTACK, added_thought=ATTACK, answer=ATTACK, cue=ATTACK)
    plant(store, "composed_questions", question=ATTACK, choices=[ATTACK, "a", "b", "c"], question_type=ATTACK)
    plant(store, "distilled_cots", choices_shown=[ATTACK, "a", "b", "c"], thought=ATTACK)
    plant(store, "grounded_objects", phrase=ATTACK, label=ATTACK)
    plant(store, "images", caption=ATTACK, license=ATTACK)
    turns = json.dumps([{"role": "user", "text": ATTACK, "images": []}])
    write_generations(store, "expanded_traces", model=ATTACK, text=ATTACK, prompt=turns, prefix="", sampling=ATTACK)
    hostile = page_of(folder, TRACE)
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in clean.tags]
    assert hostile.text.count(ATTACK) > 10


def test_a_picture_that_is_gone_is_said_and_its_boxes_are_drawn(folder, tmp_path):
    (tmp_path / "ball.png").unlink()
    page = page_of(folder, TRACE)
    assert not page.of("img") and len(page.of("rect")) == 1
    assert "cannot be shown" in page.text and "ball.png" in page.text


def test_a_rejection_has_a_page_with_its_reason_and_its_siblings(folder, store):
    own, sibling, *_ = store.read("rejections")["rejection_id"]
    page = page_of(folder, own)
    assert {own, sibling, made_rows()["seed_questions"][0]["question_id"]} <= ids_of(page)
    assert [attributes["id"] for attributes in page.of("article") if attributes.get("class") == "main"] == [own]
    assert "What was refused" in page.text


def test_a_completion_has_a_page_with_its_rows(folder):
    key = digest("seed", 0)
    page = page_of(folder, key)
    assert f"completion-{key}" in ids_of(page)
    assert [one["id"] for one in page.of("article") if one.get("class") == "main"] == [
        made_rows()["seed_questions"][0]["question_id"]
    ]


def test_a_completion_that_no_row_names_is_shown_alone(folder, store):
    write_generations(store, "expanded_traces", request_key="ab" * 32)
    page = page_of(folder, "ab" * 32)
    assert (
        f"completion-{'ab' * 32}" in ids_of(page) and not page.of("article") and "no picture belongs to it" in page.text
    )


def test_a_shard_has_no_page(folder):
    with pytest.raises(NotFoundError, match="made-00000 is a shard: .* name one of its pictures"):
        read_dossier(find(folder, SHARD))


def test_votes_and_rates_stand_with_the_row(folder, store):
    votes = [{"check": "blindness", "withheld_id": None, "request_key": digest("vote", n), "answer_index": n, "correct": not n}
             for n in range(2)]  # fmt: skip
    plant(store, "composed_questions", votes=votes, blindness=0.5, necessity=None, support=1.0)
    text = "".join(page_of(folder, made_id("composed_questions")).text.split())
    for words in ("blindness–Ayes", "blindness–Bno", "blindness0.5", "necessity–", "support1"):
        assert words in text, words
    assert f"{digest('vote', 1)}(notingenerations)" in text


def test_a_prompt_that_is_no_json_is_shown_as_it_is():
    assert messages_of("no json") == [{"role": "prompt", "text": "no json", "images": []}]
    assert messages_of('{"a": 1}')[0]["role"] == "prompt"


def test_the_choice_that_was_answered_and_the_right_one_are_marked():
    row = made_rows()["distilled_cots"][1]
    choices = card_of("distilled_cots", row, "").choices
    assert [(one.letter, one.is_key, one.is_answer) for one in choices][:2] == [("A", True, False), ("B", False, True)]
    prompt = made_rows()["rl_prompts"][0] | {"ground_truth": "C"}
    assert [one.letter for one in card_of("rl_prompts", prompt, "").choices if one.is_key] == ["C"]
