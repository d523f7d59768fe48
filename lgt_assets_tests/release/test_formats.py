"""Every format gives one row for one row, and says each picture once; placeholders stand where they belong, and nowhere else."""

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.errors import SettingsError
from lgt_assets.release.configs import CONFIGS, KEYS
from lgt_assets.release.formats.base import EMBEDDED, NAMED, Rows
from lgt_assets.release.formats.registry import FORMATS, format_named
from lgt_assets.schemas import frame
from lgt_assets_tests.made_tables import made_rows

TABLES = {"sft": "sft_mix", "dpo": "preference_pairs", "rl": "rl_prompts"}
PLACED = [name for name in FORMATS if name not in ("hf", "structured", "rows")]
TEXT = st.text(min_size=1, max_size=30).filter(lambda text: text.strip())
CASES = [(name, task) for name, form in FORMATS.items() for task in form.columns]


def rows_of(task: str, texts: list[str], pictures: list[int], form: str) -> Rows:
    """A row for each text, with so many pictures; a system turn stands before every other row's question."""
    table = TABLES[task]
    made = []
    for number, (text, count) in enumerate(zip(texts, pictures, strict=True)):
        user = {"role": "user", "content": text}
        turns = [{"role": "system", "content": "Be brief."}, user] if number % 2 else [user]
        row = made_rows()[table][0] | {
            KEYS[table]: f"x.made-00000.{number:016x}",
            "images": [f"i{n}" for n in range(count)],
        }
        if task == "sft":
            row["messages"] = [*turns, {"role": "assistant", "content": f"answer to {text}"}]
        elif task == "dpo":
            row |= {"prompt": turns, "chosen": f"chosen {text}", "rejected": f"rejected {text}"}
        else:
            row["messages"] = turns
        made.append(row)
    given_as = [[f"images/{n}.png" for n in range(count)] for count in pictures]
    slots = [[sum(pictures[:number]) + n for n in range(count)] for number, count in enumerate(pictures)]
    embedded = FORMATS[form].pictures == EMBEDDED
    column = pl.Series("pictures", slots if embedded else given_as, dtype=pl.List(pl.UInt32 if embedded else pl.String))
    added = [pl.lit("train").alias("split"), pl.lit(8).alias("width"), pl.lit(8).alias("height")]
    return Rows(frame(table, made).with_columns(column, *added), task, "train", start=7)


def user_text(messages: list[dict]) -> str:
    (user,) = [message["content"] for message in messages if message["role"] == "user"]
    return user


@pytest.mark.parametrize(("name", "task"), CASES)
@given(rows=st.lists(st.tuples(TEXT, st.integers(0, 3)), min_size=1, max_size=6))
def test_one_row_for_one_row(name: str, task: str, rows: list[tuple[str, int]]):
    texts, pictures = [text for text, _ in rows], [count for _, count in rows]
    given_rows = rows_of(task, texts, pictures, name)
    made = FORMATS[name].columns[task](given_rows)
    assert made.height == len(rows)
    if FORMATS[name].pictures != NAMED:
        assert made["images"].list.len().to_list() == pictures
    for row, text, count in zip(made.to_dicts(), texts, pictures, strict=True):
        messages = row.get("messages") or row.get("prompt")
        if name in PLACED:
            asked = row["problem"] if name == "easyr1" else user_text(messages)
            assert asked == "<image>" * count + text
        elif name == "hf":
            assert user_text(row["prompt"]) == text
        elif name == "structured":
            (user,) = [message["content"] for message in messages if message["role"] == "user"]
            assert user == [{"type": "image", "text": None}] * count + [{"type": "text", "text": text}]


def test_completions_are_apart_from_prompts_for_trl():
    sft = FORMATS["hf"].columns["sft"](rows_of("sft", ["one", "two"], [1, 1], "hf")).to_dicts()
    assert [row["completion"] for row in sft] == [
        [{"role": "assistant", "content": f"answer to {t}"}] for t in ("one", "two")
    ]
    assert [message["role"] for message in sft[1]["prompt"]] == ["system", "user"]
    dpo = FORMATS["hf"].columns["dpo"](rows_of("dpo", ["one"], [1], "hf")).row(0, named=True)
    assert dpo["chosen"] == [{"role": "assistant", "content": "chosen one"}]
    assert dpo["rejected"] == [{"role": "assistant", "content": "rejected one"}]


def test_what_each_trainer_asks_for():
    swift = FORMATS["swift"].columns["dpo"](rows_of("dpo", ["one"], [1], "swift")).row(0, named=True)
    assert (
        swift["messages"][-1] == {"role": "assistant", "content": "chosen one"}
        and swift["rejected_response"] == "rejected one"
    )
    factory = FORMATS["llamafactory"].columns["dpo"](rows_of("dpo", ["one"], [1], "llamafactory")).row(0, named=True)
    assert factory["rejected"] == {"role": "assistant", "content": "rejected one"} and len(factory["messages"]) == 1
    verl = FORMATS["verl"].columns["rl"](rows_of("rl", ["one", "two"], [1, 1], "verl")).to_dicts()
    assert [row["extra_info"]["index"] for row in verl] == [7, 8] and verl[0]["extra_info"]["split"] == "train"
    assert verl[0]["reward_model"] == {"style": "rule", "ground_truth": "A"} and verl[0]["data_source"] == "lgt"
    openrlhf = FORMATS["openrlhf"].columns["rl"](rows_of("rl", ["one"], [1], "openrlhf")).row(0, named=True)
    assert openrlhf["label"] == "A"
    assert json.dumps(openrlhf["prompt"]) == '[{"role": "user", "content": "<image>one"}]'


def test_every_config_is_in_some_trainer_s_format_and_an_unknown_one_is_refused():
    assert {one.task for one in CONFIGS.values()} == {task for _, task in CASES}
    with pytest.raises(SettingsError, match="no format 'trl': there are hf, llamafactory"):
        format_named("trl")
