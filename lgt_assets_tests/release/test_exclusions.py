"""What benchmarks hold is left out with all below it, and so is what is asked too often; clean twins stay."""

import io
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from lgt_assets.release.benchmarks import Benchmarks, read_benchmarks
from lgt_assets.release.configs import RELEASE_TABLES
from lgt_assets.release.exclusions import counted, exclusions, without
from lgt_assets.release.perceptual import picture_hash
from lgt_assets.schemas import frame
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.release.made_dataset import KITE, QUESTIONS, SHARDS, UMBRELLA, write_dataset
from lgt_assets_tests.synthesis.made import profile

PROFILE = profile(release={"per_wording": 2})


def dataset(folder: Path, questions: list = QUESTIONS) -> tuple[dict[str, pl.LazyFrame], pl.DataFrame]:
    """Tables, and the hashes of their pictures."""
    store = DeltaStore(str(folder / "tables"))
    write_dataset(store, folder / "pictures", questions)
    tables = {name: store.scan(name, shards=list(SHARDS)) for name in RELEASE_TABLES}
    hashes = [
        {"image_id": row["image_id"], "phash": picture_hash(Path(row["uri"]).read_bytes(), Path(row["uri"]))}
        for row in store.read("images").to_dicts()
    ]
    return tables, pl.DataFrame(hashes)


def listed(pictures: tuple[str, ...] = (), questions: tuple[str, ...] = ()) -> Benchmarks:
    return Benchmarks(*(
        pl.DataFrame([(value, f"vqa, row {n}") for n, value in enumerate(values)], orient="row",
                     schema={"value": pl.String, "where": pl.String})
        for values in (pictures, questions)
    ))  # fmt: skip


def questions_of(tables: dict[str, pl.LazyFrame], table: str = "seed_questions") -> set[str]:
    return set(tables[table].select("question").collect()["question"])


def test_nothing_listed_and_nothing_repeated_leaves_all(tmp_path):
    tables, hashes = dataset(tmp_path)
    left_out = exclusions(tables, listed(), hashes, PROFILE)
    assert left_out.height == 0 and counted(left_out) == []
    kept = without(tables, left_out)
    assert all(kept[name].collect().equals(tables[name].collect()) for name in tables)


@pytest.mark.parametrize("shown", [KITE, "the boy behind the wooden fence flies today", "Look! " + KITE.upper()])
def test_a_listed_question_goes_with_what_was_composed_of_it_and_its_twin_stays(tmp_path, shown):
    tables, hashes = dataset(tmp_path)
    left_out = exclusions(tables, listed(questions=("Something else?", shown)), hashes, PROFILE)
    assert counted(left_out) == [
        {"reason": "benchmark_question", "table": "seed_questions", "rows": 1},
        {"reason": "parent_left_out", "table": "composed_questions", "rows": 1},
    ]
    assert "vqa, row 1" in left_out["detail"].to_list()
    kept = without(tables, left_out)
    assert questions_of(tables) - questions_of(kept) == {KITE}
    assert UMBRELLA in questions_of(kept) and kept["images"].collect().height == 3
    assert questions_of(kept, "composed_questions") == set()
    for name in ("sft_mix", "preference_pairs", "rl_prompts"):
        assert Counter(kept[name].collect()["stage"]) == {1: 3}, name


def test_a_listed_picture_goes_with_all_that_is_about_it_and_its_twins_stay(tmp_path):
    tables, hashes = dataset(tmp_path)
    first = tables["images"].collect().row(0, named=True)
    buffer = io.BytesIO()
    picture = Image.open(first["uri"]).convert("RGB")
    picture.resize((picture.width // 2, picture.height // 2)).save(buffer, "JPEG", quality=60)
    listed_hash = picture_hash(buffer.getvalue(), Path("listed.jpg"))
    left_out = exclusions(tables, listed(pictures=("0" * 16, listed_hash)), hashes, PROFILE)
    assert left_out.select("row_id", "table", "reason").rows() == [(first["image_id"], "images", "benchmark_picture")]
    assert left_out["detail"][0].startswith("vqa, row 1: ")
    kept = without(tables, left_out)
    for name, rows in kept.items():
        before, after = tables[name].collect(), rows.collect()
        assert after.height == before.filter(pl.col("image_id") != first["image_id"]).height < before.height, name
    assert questions_of(kept) == {text for _, picture, text in QUESTIONS if picture}


REPEATED = [
    *QUESTIONS, (1, 0, UMBRELLA), (0, 1, UMBRELLA),
    (1, 0, "What color is the umbrella, that the woman next to a yellow taxi holds?"),
]  # fmt: skip


def test_a_question_about_one_picture_in_two_shards_stays_once_and_about_another_picture_too(tmp_path):
    tables, hashes = dataset(tmp_path, REPEATED)
    left_out = exclusions(tables, listed(), hashes, PROFILE)
    assert {row["table"] for row in counted(left_out)} == {"seed_questions"}
    assert set(left_out["reason"]) <= {"duplicate_question", "near_duplicate"} and left_out.height == 2
    kept = without(tables, left_out)["seed_questions"].collect()
    umbrellas = kept.filter(pl.col("question").str.contains("umbrella"))
    pictures = umbrellas.join(tables["images"].collect(), on="image_id")["sha256"]
    assert pictures.n_unique() == 2 == len(pictures)
    assert set(left_out["detail"]) <= set(kept["question_id"])


def test_which_one_stays_does_not_depend_on_the_order_of_shards(tmp_path):
    tables, hashes = dataset(tmp_path, REPEATED)
    turned = {name: rows.reverse() for name, rows in tables.items()}
    assert exclusions(tables, listed(), hashes, PROFILE).equals(exclusions(turned, listed(), hashes, PROFILE))


def test_a_wording_comes_so_often_over_all_pictures_and_no_oftener(tmp_path):
    questions = [(0, 0, UMBRELLA), (0, 1, UMBRELLA), (1, 2, UMBRELLA), (1, 2, KITE)]
    tables, hashes = dataset(tmp_path, questions)
    for per_wording, expected in ((1, 2), (2, 1), (3, 0), (None, 0)):
        left_out = exclusions(tables, listed(), hashes, profile(release={"per_wording": per_wording}))
        assert left_out["reason"].to_list() == ["repeated_wording"] * expected
        assert KITE in questions_of(without(tables, left_out))


def test_what_contamination_removes_shadows_no_duplicate(tmp_path):
    """The question stays about the picture that no benchmark lists."""
    questions = [(0, 0, UMBRELLA), (0, 1, UMBRELLA), (1, 2, KITE)]
    tables, hashes = dataset(tmp_path, questions)
    first = tables["images"].collect().row(0, named=True)
    (own,) = hashes.filter(pl.col("image_id") == first["image_id"])["phash"]
    left_out = exclusions(tables, listed(pictures=(own,)), hashes, profile(release={"per_wording": 1}))
    assert left_out["reason"].to_list() == ["benchmark_picture"]


def test_manifests_as_they_are_read_do_the_same(tmp_path):
    tables, hashes = dataset(tmp_path)
    manifest = tmp_path / "vqa.csv"
    manifest.write_text(f'image,question\npictures/2.png,"{UMBRELLA}"\n')
    left_out = exclusions(tables, read_benchmarks([manifest]), hashes, PROFILE)
    assert Counter(left_out["reason"]) == {"benchmark_picture": 1, "benchmark_question": 1, "parent_left_out": 1}


def test_a_question_left_out_for_its_parent_shadows_no_duplicate_either(tmp_path):
    tables, hashes = dataset(tmp_path)
    (composed,) = tables["composed_questions"].collect().to_dicts()
    other = tables["seed_questions"].collect().filter(pl.col("question") == QUESTIONS[2][2]).row(0, named=True)
    twin = composed | {"image_id": other["image_id"], "parent_question_ids": [other["question_id"]] * 2}
    twin |= {"question_id": composed["question_id"][:-16] + "f" * 16}  # last in the order of the hashes
    both = tables | {"composed_questions": frame("composed_questions", [composed, twin]).lazy()}
    left_out = exclusions(both, listed(questions=(KITE,)), hashes, profile(release={"per_wording": 1}))
    assert Counter(left_out["reason"]) == {"benchmark_question": 1, "parent_left_out": 1}
    assert twin["question_id"] not in left_out["row_id"].to_list()
