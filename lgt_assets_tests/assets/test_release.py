"""A release holds the shards that are whole, names those on their way, and refuses bad ones."""

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
import yaml
from PIL import Image

import lgt_assets.definitions  # noqa: F401 - every asset, which is what STAGES are filled by
from lgt_assets.assets.release import release
from lgt_assets.assets.release_making import inputs_of, require_unchanged
from lgt_assets.assets.shard_asset import STAGES
from lgt_assets.assets.upstream import ROW_COUNT
from lgt_assets.delta_files import TableFolder
from lgt_assets.errors import ReleaseError
from lgt_assets.identity import digest
from lgt_assets.release.configs import CONFIGS
from lgt_assets.release.pins import read_release
from lgt_assets.resources import Models, Tables
from lgt_assets.schemas import frame
from lgt_assets.settings import PROFILES_FOLDER
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.made_tables import write_made_tables
from lgt_assets_tests.release.made_dataset import KITE, QUESTIONS, SHARDS, UMBRELLA, write_dataset
from lgt_assets_tests.rows import SHARD, image_row

LATE = "late-00000"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DeltaStore:
    monkeypatch.setenv("LGT_STATE", str(tmp_path / "state"))
    return write_made_tables(tmp_path / "state")


@pytest.fixture
def instance(tmp_path: Path, store: DeltaStore) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        for table in STAGES:
            report(instance, store, table, SHARD)
        yield instance


def report(instance: dg.DagsterInstance, store: DeltaStore, table: str, shard: str) -> None:
    """Say that a shard was materialized as it stands."""
    metadata = {ROW_COUNT: store.read(table, shards=[shard]).height}
    instance.report_runless_asset_event(dg.AssetMaterialization(table, partition=shard, metadata=metadata))


def materialize(instance: dg.DagsterInstance, profile: str | Path = "") -> dg.ExecuteInProcessResult:
    resources = {"tables": Tables(), "models": Models(profile_name=str(profile))}
    return dg.materialize([release], instance=instance, resources=resources, raise_on_error=False)


def test_every_config_is_written_and_its_rows_are_counted(instance: dg.DagsterInstance, store: DeltaStore) -> None:
    assert materialize(instance).success
    row = store.read("release").row(0, named=True)
    counts = {(file["config"], file["split"]): file["rows"] for file in row["files"]}
    assert counts == {(name, split): int(split == "train" and not name.endswith("1")) for name, split in counts}
    assert {name for name, _ in counts} == set(CONFIGS)
    assert pl.read_parquet(Path(row["uri"]) / "pictures.parquet").height == 1
    assert "config_name: dpo_stage2" in (Path(row["uri"]) / "README.md").read_text()


def test_the_same_rows_are_one_release(instance: dg.DagsterInstance, store: DeltaStore) -> None:
    assert materialize(instance).success
    assert materialize(instance).success
    assert store.read("release").height == 1


def test_a_shard_on_its_way_is_left_out_and_named(instance: dg.DagsterInstance, store: DeltaStore) -> None:
    assert materialize(instance).success
    before = store.read("release")["release_id"].to_list()
    store.replace("images", frame("images", [image_row(7, shard=LATE)]), shard=LATE)
    report(instance, store, "images", LATE)
    result = materialize(instance)
    assert result.success
    metadata = result.asset_materializations_for_node("release")[0].metadata
    assert metadata["shards_left_out"].value == [LATE]
    assert store.read("release")["release_id"].to_list() == before


def test_a_bad_shard_fails_the_release_by_name(instance: dg.DagsterInstance, store: DeltaStore) -> None:
    rows = [row | {"recipe": "short"} for row in store.read("sft_mix").to_dicts()]
    store.replace("sft_mix", frame("sft_mix", rows), shard=SHARD)
    result = materialize(instance)
    assert not result.success
    description = result.all_events[-1].message + str(
        [e.step_failure_data for e in result.all_events if e.is_step_failure]
    )
    assert "recipe breaks" in description
    assert f"lgt run --select sft_mix --shards {SHARD}" in description
    assert store.read("release").height == 0


def test_nothing_ready_says_what_to_do(tmp_path: Path, store: DeltaStore) -> None:
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        result = materialize(instance)
    assert not result.success
    assert "run `lgt run` first" in str([e.step_failure_data for e in result.all_events if e.is_step_failure])


@pytest.fixture
def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[dg.DagsterInstance, DeltaStore]]:
    """Three real pictures in two shards with all tables, materialized."""
    monkeypatch.setenv("LGT_STATE", str(tmp_path / "whole"))
    store = DeltaStore(str(tmp_path / "whole/tables"))
    write_dataset(store, tmp_path / "pictures")
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        for table in STAGES:
            for shard in SHARDS:
                report(instance, store, table, shard)
        yield instance, store


def profile_with(folder: Path, **release: object) -> Path:
    """The embedded profile with other settings for the release."""
    profile = yaml.safe_load((PROFILES_FOLDER / "embedded.yaml").read_text()) | {"release": release}
    path = folder / f"profile-{digest(release)[:8]}.yaml"  # a profile is read once a process
    path.write_text(yaml.safe_dump(profile))
    return path


def released(store: DeltaStore, result: dg.ExecuteInProcessResult) -> tuple[dict, dict[str, pl.DataFrame]]:
    """The row of `release` that a run made, and its files' rows by config and split."""
    (made,) = result.asset_materializations_for_node("release")
    row = store.read("release").row(by_predicate=pl.col("release_id") == made.metadata["release_id"].value, named=True)
    folder = Path(row["uri"])
    return row, {f"{file['config']}/{file['split']}": pl.read_parquet(folder / file["path"]) for file in row["files"]}


def test_what_a_benchmark_lists_is_left_out_and_counted_and_clean_twins_stay(
    whole: tuple[dg.DagsterInstance, DeltaStore], tmp_path: Path
) -> None:
    instance, store = whole
    before = released(store, materialize(instance))[1]
    picture = Image.open(tmp_path / "pictures/2.png").convert("RGB")
    picture.resize((picture.width // 2, picture.height // 2)).save(tmp_path / "listed.jpg", quality=70)
    manifest = tmp_path / "benchmark.jsonl"
    manifest.write_text(f'{{"image": "listed.jpg"}}\n{{"question": "{KITE.upper()}"}}\n')
    result = materialize(instance, profile_with(tmp_path, decontaminate=[str(manifest)]))
    assert result.success
    row, after = released(store, result)
    assert row["excluded"] == [
        {"reason": "benchmark_picture", "table": "images", "rows": 1},
        {"reason": "benchmark_question", "table": "seed_questions", "rows": 1},
        {"reason": "parent_left_out", "table": "composed_questions", "rows": 1},
    ]
    metadata = result.asset_materializations_for_node("release")[0].metadata
    assert metadata["left_out"].value == 3 and "benchmark&#95;picture" in metadata["excluded"].value
    questions = store.read("seed_questions")
    kept = questions.filter(pl.col("question").is_in([UMBRELLA, QUESTIONS[2][2]]))["question_id"]
    for name in ("sft_stage1", "dpo_stage1", "rl_stage1"):
        assert before[f"{name}/train"].height + before[f"{name}/validation"].height == len(QUESTIONS)
        left = pl.concat([after[f"{name}/train"], after[f"{name}/validation"]])["question_id"]
        assert set(left) == set(kept), name
    for name in ("sft_stage2", "dpo_stage2", "rl_stage2"):
        assert before[f"{name}/train"].height + before[f"{name}/validation"].height == 1
        assert after[f"{name}/train"].height + after[f"{name}/validation"].height == 0
    listed = pl.read_parquet(Path(row["uri"]) / "excluded.parquet")
    assert sorted(listed["reason"]) == ["benchmark_picture", "benchmark_question", "parent_left_out"]
    assert any("benchmark.jsonl, row 1" in detail for detail in listed["detail"])
    assert pl.read_parquet(Path(row["uri"]) / "pictures.parquet").height == 2
    assert "benchmark.jsonl" in (Path(row["uri"]) / "README.md").read_text()


def test_pictures_are_hashed_once(whole: tuple[dg.DagsterInstance, DeltaStore], tmp_path: Path) -> None:
    instance, store = whole
    manifest = tmp_path / "benchmark.jsonl"
    manifest.write_text('{"phash": "0000000000000000"}\n')
    profile = profile_with(tmp_path, decontaminate=[str(manifest)])
    assert materialize(instance, profile).success
    assert store.read("picture_hashes").height == 3
    version = store.version("picture_hashes")
    for picture in (tmp_path / "pictures").iterdir():
        picture.unlink()  # whoever looked again would fail
    assert materialize(instance, profile).success
    assert store.version("picture_hashes") == version


def test_a_wrong_manifest_fails_the_release_by_file_and_row(
    whole: tuple[dg.DagsterInstance, DeltaStore], tmp_path: Path
) -> None:
    instance, store = whole
    manifest = tmp_path / "benchmark.jsonl"
    manifest.write_text('{"question": "?"}\n{"image": "gone.png"}\n')
    result = materialize(instance, profile_with(tmp_path, decontaminate=[str(manifest)]))
    assert not result.success
    assert "benchmark.jsonl, row 2, image" in str([e.step_failure_data for e in result.all_events if e.is_step_failure])
    assert store.read("release").height == 0


def test_sizes_are_exact(whole: tuple[dg.DagsterInstance, DeltaStore], tmp_path: Path) -> None:
    instance, store = whole
    result = materialize(instance, profile_with(tmp_path, sizes={"sft_stage1": 2, "sft_stage2_merged": 3}))
    _, files = released(store, result)
    assert (files["sft_stage1/train"].height, files["sft_stage2_merged/train"].height) == (2, 3)
    result = materialize(instance, profile_with(tmp_path, sizes={"sft_stage1": 200}))
    assert not result.success


def test_the_card_and_the_metadata_say_what_people_found(instance: dg.DagsterInstance, store: DeltaStore) -> None:
    row = {
        "shard": SHARD, "ordinal": 0, "row_id": store.read("distilled_cots")["cot_id"][0], "table": "distilled_cots",
        "auditor": "Ada", "verdict": "wrong", "error_kind": "logic", "note": "", "sample": "", "judged_at": "",
    }  # fmt: skip
    store.replace("audits", frame("audits", [row]), shard=SHARD)
    result = materialize(instance)
    assert result.success
    row = store.read("release").row(0, named=True)
    assert json.loads(row["facts"])["audits"]["distilled_cots"]["kinds"]["logic"]["rows"] == 1
    card = (Path(row["uri"]) / "README.md").read_text()
    shown = result.asset_materializations_for_node("release")[0].metadata["card"].value
    assert all("logic" in text and "distilled_cots" in text for text in (card, shown))


def test_an_audit_makes_another_release_of_the_same_rows(instance: dg.DagsterInstance, store: DeltaStore) -> None:
    assert materialize(instance).success
    row = {
        "shard": SHARD, "ordinal": 0, "row_id": store.read("distilled_cots")["cot_id"][0], "table": "distilled_cots",
        "auditor": "Ada", "verdict": "right", "error_kind": None, "note": "", "sample": "", "judged_at": "",
    }  # fmt: skip
    store.replace("audits", frame("audits", [row]), shard=SHARD)
    assert materialize(instance).success
    first, second = store.read("release").sort("number").to_dicts()
    assert first["files"] == second["files"] and (first["number"], second["number"]) == (1, 2)
    assert first["release_id"] != second["release_id"]


def test_what_is_written_while_it_is_checked_is_not_released(whole: tuple[dg.DagsterInstance, DeltaStore]) -> None:
    _, store = whole
    versions = inputs_of(store)
    require_unchanged(store, versions, list(SHARDS))
    mix = store.read("sft_mix", shards=[SHARDS[0]])
    store.replace("sft_mix", mix.head(1), shard=SHARDS[0])
    require_unchanged(store, versions, [SHARDS[1]])  # another shard's rows are of no concern
    with pytest.raises(ReleaseError, match=f"sft_mix of {SHARDS[0]} was written while the release was being checked"):
        require_unchanged(store, versions, list(SHARDS))


def test_every_table_that_rows_or_card_come_from_is_pinned(whole: tuple[dg.DagsterInstance, DeltaStore]) -> None:
    instance, store = whole
    row, _ = released(store, materialize(instance))
    pinned = {one["table"]: one["version"] for one in row["inputs"]}
    assert pinned.keys() >= {"images", "grounded_objects", "distilled_cots", "sft_mix", "rl_prompts"}
    assert all(version == store.version(table) for table, version in pinned.items())


def test_a_release_that_is_made_again_after_others_is_the_latest(
    whole: tuple[dg.DagsterInstance, DeltaStore], tmp_path: Path
) -> None:
    instance, store = whole
    first = released(store, materialize(instance))[0]["release_id"]
    second = released(store, materialize(instance, profile_with(tmp_path, sizes={"sft_stage1": 1})))[0]["release_id"]
    tables = TableFolder(store.root)
    assert read_release(tables).release_id == second != first
    version = store.version("release")
    assert released(store, materialize(instance, profile_with(tmp_path, sizes={"sft_stage1": 1})))[0]["number"] == 2
    assert store.version("release") == version  # the latest one stays as it is
    assert released(store, materialize(instance))[0]["number"] == 3
    assert read_release(tables).release_id == first and store.read("release").height == 2
    assert read_release(tables, second).release_id == second
