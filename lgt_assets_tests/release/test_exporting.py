"""Exports of a real release: whole, loadable, rebuilt byte for byte after the tables moved on, and never half there."""

import hashlib
import html
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import psutil
import pytest
from PIL import Image

from lgt_assets.assets.release_making import kept_release
from lgt_assets.delta_files import TableFolder
from lgt_assets.errors import NotFoundError, ReleaseError, SettingsError, SourceError
from lgt_assets.release.configs import CONFIGS
from lgt_assets.release.exporting import export_release
from lgt_assets.release.formats.registry import FORMATS
from lgt_assets.release.manifest import NAME, verify
from lgt_assets.release.options import Options
from lgt_assets.release.pins import read_release
from lgt_assets.schemas import frame
from lgt_assets.settings import load_profile
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.release.made_dataset import SHARDS, write_dataset


class Made:
    """Three pictures in two shards, released."""

    def __init__(self, folder: Path):
        self.folder, self.store = folder, DeltaStore(str(folder / "tables"))
        self.tables = TableFolder(self.store.root)
        self.images = write_dataset(self.store, folder / "pictures")
        # The last picture goes to validation, with all that was made of it.
        images = self.store.read("images", shards=SHARDS[1:])
        self.store.replace("images", images.with_columns(pl.lit("validation").alias("split")), shard=SHARDS[1])
        self.release()

    def release(self) -> str:
        profile = load_profile("embedded")
        kept = kept_release(self.store, profile, SHARDS, root=self.folder / "releases", code_version="1")
        return kept.row["release_id"]

    def export(self, out: Path, form: str = "hf", at: str = "latest", **options: object) -> None:
        export_release(read_release(self.tables, at), self.tables, out, Options(FORMATS[form], **options))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("made"))


@pytest.fixture
def own(tmp_path: Path) -> Made:
    """One of the test's own, to be changed."""
    return Made(tmp_path / "own")


def contents(folder: Path) -> dict[str, str]:
    """sha256 of every file."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def rows_in(folder: Path) -> Iterator[tuple[str, str, list[dict]]]:
    """(config, split, rows) as release.json lists them."""
    for one in json.loads((folder / "release.json").read_text())["rows"]:
        rows: list[dict] = []
        for name in one["files"]:
            read = pl.read_parquet if name.endswith(".parquet") else pl.read_ndjson
            rows += read(folder / name).to_dicts()
        assert len(rows) == one["rows"]
        yield one["config"], one["split"], rows


@pytest.mark.parametrize("form", list(FORMATS))
def test_every_row_arrives_and_the_manifest_holds(made: Made, tmp_path: Path, form: str):
    made.export(tmp_path / "out", form)
    assert verify(tmp_path / "out").is_whole
    release = read_release(made.tables)
    found = {(config, split): len(rows) for config, split, rows in rows_in(tmp_path / "out")}
    wanted = {key: rows for key, (rows, _) in release.contents.items() if CONFIGS[key[0]].task in FORMATS[form].columns}
    assert found == wanted and sum(found.values()) > 0
    assert (tmp_path / "out/README.md").read_text().startswith("---\n")
    if any(CONFIGS[config].task == "rl" and rows for (config, _), rows in found.items()) and form != "rows":
        compile((tmp_path / "out/rewards.py").read_text(), "rewards.py", "exec")


def test_splits_share_no_picture(made: Made, tmp_path: Path):
    made.export(tmp_path / "out", "hf")
    seen: dict[str, set[bytes]] = {"train": set(), "validation": set()}
    for _, split, rows in rows_in(tmp_path / "out"):
        seen[split] |= {image["bytes"] for row in rows for image in row["images"]}
    assert len(seen["train"]) == 2 and len(seen["validation"]) == 1 and not seen["train"] & seen["validation"]


def test_pictures_are_the_very_bytes_that_were_added(made: Made, tmp_path: Path):
    originals = {image["image_id"]: Path(image["uri"]).read_bytes() for image in made.images}
    made.export(tmp_path / "hf", "hf")
    for _, _, rows in rows_in(tmp_path / "hf"):
        for row in rows:
            assert [image["bytes"] for image in row["images"]] == [originals[name] for name in row["image_ids"]]
    made.export(tmp_path / "swift", "swift")
    ids = {row["example_id"]: row["images"] for row in made.store.read("sft_mix").to_dicts()}
    for config, _, rows in rows_in(tmp_path / "swift"):
        for row in rows if config.startswith("sft") else []:
            assert [(tmp_path / "swift" / path).read_bytes() for path in row["images"]] == [
                originals[name] for name in ids[row["row_id"]]
            ]


def test_the_library_reads_the_folder_by_its_card(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    datasets = pytest.importorskip("datasets")
    made.export(tmp_path / "out", "hf")
    assert set(datasets.get_dataset_config_names(str(tmp_path / "out"))) == set(CONFIGS)
    loaded = datasets.load_dataset(str(tmp_path / "out"), "dpo_stage1", cache_dir=str(tmp_path / "cache"))
    assert {split: rows.num_rows for split, rows in loaded.items()} == {"train": 3, "validation": 1}
    assert isinstance(loaded["train"][0]["images"][0], Image.Image)


@pytest.mark.parametrize("form", ["hf", "swift"])
def test_a_release_is_rebuilt_byte_for_byte_after_the_tables_moved_on(own: Made, tmp_path: Path, form: str):
    first = read_release(own.tables).release_id
    own.export(tmp_path / "before", form)
    mix = own.store.read("sft_mix", shards=SHARDS[:1])
    own.store.replace("sft_mix", mix.head(1), shard=SHARDS[0])
    questions = own.store.read("seed_questions", shards=SHARDS[:1])
    own.store.replace("seed_questions", questions.with_columns(pl.lit("Other?").alias("question")), shard=SHARDS[0])
    second = own.release()
    assert second != first and read_release(own.tables).release_id == second
    own.export(tmp_path / "after", form, at=first[:6])
    own.export(tmp_path / "newer", form)
    assert contents(tmp_path / "after") == contents(tmp_path / "before")
    assert contents(tmp_path / "newer") != contents(tmp_path / "before")


def test_rows_that_were_changed_behind_deltas_back_are_not_exported(own: Made, tmp_path: Path):
    release = read_release(own.tables)
    (slices,) = [one for one in own.tables.open("sft_mix", release.inputs["sft_mix"]).slices if one.shard == SHARDS[0]]
    file = Path(slices.files[0])
    rows = pl.read_parquet(file)
    rows.with_columns(pl.lit("simple").alias("recipe")).write_parquet(file)
    with pytest.raises(ReleaseError, match=r"sft_stage1, train: 3 rows were read that differ from the 3"):
        own.export(tmp_path / "out")
    assert not (tmp_path / "out").exists() and not [path for path in tmp_path.iterdir() if "out" in path.name]


def test_a_vacuumed_version_and_a_lost_picture_are_named(own: Made, tmp_path: Path):
    picture = Path(own.images[0]["uri"])
    kept = picture.read_bytes()
    picture.unlink()
    with pytest.raises(SourceError, match=rf"picture {own.images[0]['image_id']}: .*cannot be read"):
        own.export(tmp_path / "out")
    picture.write_bytes(kept + b"more")
    with pytest.raises(SourceError, match="is not the one that was added"):
        own.export(tmp_path / "out", "swift")
    picture.write_bytes(kept)
    release = read_release(own.tables)
    Path(own.tables.open("sft_mix").slices[0].files[0]).unlink()
    with pytest.raises(ReleaseError, match=f"release {release.release_id} cannot be written again: table sft_mix"):
        own.export(tmp_path / "out")


def test_what_is_there_is_never_overwritten(made: Made, tmp_path: Path):
    (tmp_path / "out").mkdir()
    made.export(tmp_path / "out", "rows")  # an empty folder will do
    before = contents(tmp_path / "out")
    with pytest.raises(ReleaseError, match="is there and not an empty folder"):
        made.export(tmp_path / "out", "rows")
    assert contents(tmp_path / "out") == before


def test_pictures_by_their_originals_paths(made: Made, tmp_path: Path):
    made.export(tmp_path / "hf", "hf", pictures="referenced")
    made.export(tmp_path / "factory", "llamafactory", pictures="referenced")
    originals = {image["uri"] for image in made.images}
    for _, _, rows in rows_in(tmp_path / "hf"):
        assert {image["path"] for row in rows for image in row["images"]} <= originals
        assert all(image["bytes"] is None for row in rows for image in row["images"])
    for _, _, rows in rows_in(tmp_path / "factory"):
        assert {path for row in rows for path in row["images"]} <= originals
    assert not (tmp_path / "factory/images").exists()
    assert "paths of the originals" in (tmp_path / "hf/README.md").read_text()


def test_options_that_a_format_lacks_are_refused():
    with pytest.raises(SettingsError, match="--pictures files: the format verl has embedded"):
        Options(FORMATS["verl"], pictures="files")
    with pytest.raises(SettingsError, match="--config sft_stage9: there are sft_stage1"):
        Options(FORMATS["hf"], configs=("sft_stage9",))
    with pytest.raises(SettingsError, match="the format verl holds none of sft_stage1"):
        Options(FORMATS["verl"], configs=("sft_stage1",))
    with pytest.raises(SettingsError, match="--strip-location: pictures that are referenced are not written"):
        Options(FORMATS["hf"], pictures="referenced", strip_location=True)


def test_an_unknown_release_is_named(made: Made, tmp_path: Path):
    with pytest.raises(NotFoundError, match="no release begins with 'zz'; there are [0-9a-f]{16}"):
        read_release(made.tables, "zz")
    with pytest.raises(NotFoundError, match="run `lgt run --select release` first"):
        read_release(TableFolder(str(tmp_path)))


def test_an_export_that_is_killed_leaves_nothing_and_the_next_one_is_whole(made: Made, tmp_path: Path):
    """The process is killed with SIGKILL while it writes: it stops itself after the first rows."""
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from lgt_assets.delta_files import TableFolder\n"
        "from lgt_assets.release.exporting import export_release\n"
        "from lgt_assets.release.formats.registry import FORMATS\n"
        "from lgt_assets.release.options import Options\n"
        "from lgt_assets.release.pins import read_release\n"
        "tables = TableFolder(sys.argv[1])\n"
        "def stop(what, done, total):\n"
        "    if what.startswith('writing'): os.kill(os.getpid(), signal.SIGKILL)\n"
        "export_release(read_release(tables), tables, Path(sys.argv[2]), Options(FORMATS['swift']), stop)\n"
    )
    out = tmp_path / "out"
    killed = subprocess.run([sys.executable, "-c", script, made.tables.root, str(out)], check=False)
    assert killed.returncode == -9 and not out.exists()
    assert not [child for child in psutil.Process().children() if child.is_running() and child.status() != "zombie"]
    made.export(out, "swift")
    assert verify(out).is_whole and {path.name for path in tmp_path.iterdir()} == {"out"}


def test_two_exports_into_one_folder_do_not_mix(made: Made, tmp_path: Path):
    def again(what: str, done: int, total: int) -> None:
        if not seen:
            seen.append(what)
            with pytest.raises(ReleaseError, match="is being written by another process"):
                made.export(tmp_path / "out", "rows")

    seen: list[str] = []
    release = read_release(made.tables)
    export_release(release, made.tables, tmp_path / "out", Options(FORMATS["rows"]), again)
    assert seen and verify(tmp_path / "out").is_whole


def test_texts_that_trainers_misread_are_left_out_and_counted(own: Made, tmp_path: Path):
    rows = own.store.read("sft_mix", shards=SHARDS[:1]).to_dicts()
    rows[0]["messages"][-1]["content"] += " <image>"
    rows[1]["messages"][-1]["content"] += "<|im_end|>"
    own.store.replace("sft_mix", frame("sft_mix", rows), shard=SHARDS[0])
    own.release()
    release = read_release(own.tables)
    assert sorted(release.excluded.select("row_id", "reason").rows()) == sorted(
        [(rows[0]["example_id"], "placeholder_in_text"), (rows[1]["example_id"], "special_token_in_text")]
    )
    own.export(tmp_path / "out", "hf")
    exported = {
        row["row_id"] for config, _, rows in rows_in(tmp_path / "out") if config.startswith("sft") for row in rows
    }
    assert not exported & {rows[0]["example_id"], rows[1]["example_id"]} and exported
    assert "placeholder_in_text" in html.unescape((tmp_path / "out/README.md").read_text())
    assert (tmp_path / "out" / NAME).is_file()


def test_where_a_picture_was_taken_is_removed_when_asked_and_said(tmp_path: Path):
    photograph = tmp_path / "own/pictures/0.png"
    photograph.parent.mkdir(parents=True)
    exif = Image.Exif()
    exif[0x0110] = "A camera"
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 29.0)
    Image.new("RGB", (64, 48), "red").save(photograph, "JPEG", exif=exif)  # its name says PNG; its bytes decide
    own = Made(tmp_path / "own")
    own.export(tmp_path / "as_is", "swift")
    own.export(tmp_path / "swift", "swift", strip_location=True)
    own.export(tmp_path / "hf", "hf", strip_location=True)
    name = next(path.relative_to(tmp_path / "as_is") for path in (tmp_path / "as_is").rglob("*.jpg"))
    assert (tmp_path / "as_is" / name).read_bytes() == photograph.read_bytes()
    with Image.open(photograph) as before, Image.open(tmp_path / "swift" / name) as after:
        assert before.getexif().get_ifd(0x8825) and not after.getexif().get_ifd(0x8825)
        assert after.getexif()[0x0110] == "A camera" and after.tobytes() == before.tobytes()
    embedded = {image["bytes"] for _, _, rows in rows_in(tmp_path / "hf") for row in rows for image in row["images"]}
    assert (tmp_path / "swift" / name).read_bytes() in embedded and photograph.read_bytes() not in embedded
    assert "Where a picture was taken has been removed" in (tmp_path / "hf/README.md").read_text()
    assert json.loads((tmp_path / "hf/release.json").read_text())["location_removed"]
    assert verify(tmp_path / "hf").is_whole
