import io
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from lgt_assets.embedded.scenes import render
from lgt_assets.errors import ReleaseError
from lgt_assets.training.contamination import (
    NEAR_PICTURE,
    SAME_PICTURE,
    SAME_PROMPT,
    KnownPrompts,
    exported_questions,
    leaks,
    questions_of,
    recurring_wordings,
    seen,
)
from lgt_assets.training.held_out import CROSSED_PAIRS, IN_DOMAIN, questions

DISTANCE = 6
ASKED = [
    seen(suite, one.example.user, render(one.example.scene))
    for suite in (IN_DOMAIN, CROSSED_PAIRS)
    for one in questions(suite, 10)
]


def test_an_export_holds_nothing_of_the_suites_and_is_read_whole(export: Path) -> None:
    trained = exported_questions(export)
    rows = pl.concat([pl.read_parquet(path, columns=["prompt"]) for path in export.glob("*/*.parquet")])
    assert {one.prompt for one in trained} == {prompt[0]["content"] for prompt in rows["prompt"]}
    assert leaks(ASKED, trained, distance=DISTANCE).is_empty()


def test_a_planted_leak_is_found_by_its_reason(export: Path) -> None:
    trained = exported_questions(export)
    planted = [
        replace(ASKED[3], prompt="another question"),
        replace(ASKED[5], prompt="a third", pixels="0" * 64, phash=f"{int(ASKED[5].phash, 16) ^ 0b111:016x}"),
        replace(trained[0], prompt=f"In other words. {ASKED[12].prompt.rpartition(' ')[0]} otherwise."),
    ]
    found = leaks(ASKED, [*trained, *planted], distance=DISTANCE)
    assert found.select("number", "reason").rows() == [(3, SAME_PICTURE), (5, NEAR_PICTURE), (2, SAME_PROMPT)]
    assert ASKED[12].prompt in KnownPrompts(planted) and ASKED[11].prompt not in KnownPrompts(planted)
    assert found["suite"].to_list() == [IN_DOMAIN, IN_DOMAIN, CROSSED_PAIRS]  # each numbers its own
    assert leaks(ASKED, planted[1:2], distance=2).is_empty()


def test_a_question_with_two_reasons_is_one_leak() -> None:
    found = leaks(ASKED, [ASKED[3], ASKED[12]], distance=DISTANCE)
    assert found.height == 4 and questions_of(found) == 2


def test_a_picture_planted_in_an_export_is_found_though_encoded_anew(export: Path, tmp_path: Path) -> None:
    source = next(export.glob("sft_stage1/train-*.parquet"))
    (tmp_path / "sft_stage1").mkdir()
    rows = pl.read_parquet(source)
    buffer = io.BytesIO()
    render(questions(IN_DOMAIN, 10)[7].example.scene).save(buffer, "WEBP", lossless=True)
    images = [{"bytes": buffer.getvalue(), "path": None}]
    planted = rows.head(1).with_columns(pl.Series("images", [images], dtype=rows.schema["images"]))
    pl.concat([rows, planted]).write_parquet(tmp_path / "sft_stage1" / source.name)
    found = leaks(ASKED, exported_questions(tmp_path), distance=DISTANCE)
    assert found.select("number", "reason").rows() == [(7, SAME_PICTURE)]


def test_wordings_that_recur_are_counted_by_suite() -> None:
    trained = [replace(ASKED[0], prompt=ASKED[0].prompt.partition("\n")[0] + "\n(A) other choices")]
    shares = recurring_wordings(ASKED, trained, ngram=8, share=0.5)
    assert shares[IN_DOMAIN] > 0 and set(shares) == {IN_DOMAIN, CROSSED_PAIRS}


def test_an_empty_folder_is_no_clean_release(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="holds no rows"):
        exported_questions(tmp_path)
