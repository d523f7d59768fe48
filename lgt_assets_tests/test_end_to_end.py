"""The whole graph on real inference, as a user runs it: the command line, the web server, a model behind HTTP.

Every run is a process of its own, on the embedded model. Fewer pictures than `lgt demo` takes, the same code.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest
import yaml

from lgt_assets.release.configs import CONFIGS
from lgt_assets.settings import PROFILES_FOLDER
from lgt_assets.storage import DeltaStore, canonical_rows
from lgt_assets_tests.dagit import running_dagit

ASSETS = [
    "images", "grounded_objects", "seed_questions", "composed_questions", "distilled_cots", "expanded_traces",
    "preference_pairs", "sft_mix", "rl_prompts", "release",
]  # fmt: skip
PARTITIONED = ASSETS[:-1]
PICTURES, SHARD_SIZE = 24, 8
FEW_PICTURES = 6
TIMEOUT = 900


def lgt(state: Path, *arguments: str, profile: str | Path = "embedded", succeeds: bool = True) -> str:
    """Standard output of one `lgt` command on ``state``."""
    variables = {k: v for k, v in os.environ.items() if k not in ("LGT_STATE", "DAGSTER_HOME", "LGT_PROFILE")}
    variables |= {"LGT_STATE": str(state), "LGT_PROFILE": str(profile), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "lgt_assets.cli", *arguments]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=TIMEOUT)
    assert (done.returncode == 0) is succeeds, (
        f"{arguments}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    )
    return done.stdout + ("" if succeeds else done.stderr)


def run_json(state: Path, *arguments: str, profile: str | Path = "embedded") -> dict:
    """The object that `lgt run` ends with."""
    return json.loads(lgt(state, "run", "--json", *arguments, profile=profile).strip().splitlines()[-1])


def add_scenes(state: Path, count: int, shard_size: int) -> None:
    lgt(state, "sources", "add", "scenes", "--kind", "scenes", "--count", str(count), "--shard-size", str(shard_size))


def rows_of(state: Path, *, without: tuple[str, ...] = ()) -> dict[str, str]:
    """All rows of all assets as text, less columns that tell the folder."""
    store = DeltaStore(str(state / "tables"))
    return {name: canonical_rows(store.read(name).drop(without, strict=False)) for name in ASSETS}


def remove_tables(state: Path) -> None:
    shutil.rmtree(state / "tables")
    shutil.rmtree(state / "releases")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """A state folder with everything made once, and what the run said."""
    state = tmp_path_factory.mktemp("made")
    add_scenes(state, PICTURES, SHARD_SIZE)
    return state, run_json(state)


def test_every_artifact_is_there_and_varied(made: tuple[Path, dict]) -> None:
    state, said = made
    store = DeltaStore(str(state / "tables"))
    tables = {name: store.read(name) for name in ASSETS}
    assert {name: said["tables"][name]["rows"] for name in ASSETS} == {
        name: rows.height for name, rows in tables.items()
    }
    assert tables["images"].height == PICTURES
    assert tables["images"]["shard"].n_unique() == 3
    questions = tables["seed_questions"]
    assert questions.height >= 3 * PICTURES
    assert questions["question_type"].n_unique() >= 3
    assert questions.select("image_id", "question").is_duplicated().sum() == 0
    assert tables["composed_questions"].height >= PICTURES // 2
    assert (tables["composed_questions"]["parent_question_ids"].list.len() >= 2).all()
    assert tables["distilled_cots"].height >= 9 * PICTURES
    assert tables["expanded_traces"].height >= 3 * PICTURES
    assert {"OO", "XO"} <= set(tables["expanded_traces"]["transition"])
    assert tables["preference_pairs"]["kind"].n_unique() >= 2
    assert set(tables["sft_mix"]["recipe"]) == {"direct", "simple", "long"}
    assert set(tables["rl_prompts"]["form"]) == {"choice", "open"}
    assert set(tables["rl_prompts"]["verification"]) == {"letter", "number", "exact_text"}
    pass_rates = tables["rl_prompts"]["pass_rate"]
    assert ((pass_rates > 0) & (pass_rates < 1)).any()


def test_the_funnel_adds_up(made: tuple[Path, dict]) -> None:
    state, said = made
    for name in ("seed_questions", "distilled_cots"):
        table = said["tables"][name]
        assert table["asked"] > 0
        assert table["rows"] + sum(table["rejected"].values()) == table["asked"], name
    assert said["requests_sent"] > 0
    reported = json.loads(lgt(state, "report", "--json").strip().splitlines()[-1])
    assert reported["tables"] == said["tables"]


def test_rows_name_parents_and_completions_that_exist(made: tuple[Path, dict]) -> None:
    store = DeltaStore(str(made[0] / "tables"))
    keys = set(store.read("generations")["request_key"])
    for name in ("seed_questions", "composed_questions", "distilled_cots", "expanded_traces"):
        assert set(store.read(name)["request_key"]) <= keys, name
    traces = store.read("expanded_traces").join(store.read("distilled_cots"), on="cot_id", suffix="_simple")
    assert traces.height == store.read("expanded_traces").height
    assert traces.select(pl.col("thought").str.starts_with(pl.col("thought_simple"))).to_series().all()


def test_the_release_holds_all_seven_configs(made: tuple[Path, dict]) -> None:
    store = DeltaStore(str(made[0] / "tables"))
    release = store.read("release").row(0, named=True)
    rows = {(file["config"], file["split"]): file["rows"] for file in release["files"]}
    assert {config for config, _ in rows} == set(CONFIGS)
    for file in release["files"]:
        assert pl.read_parquet(Path(release["uri"]) / file["path"]).height == file["rows"]
    pictures = [
        set(pl.read_parquet(Path(release["uri"]) / f"sft_stage1/{split}.parquet")["image_id"])
        for split in ("train", "validation")
    ]
    assert not pictures[0] & pictures[1]
    assert rows["sft_stage1", "train"] > 0


def test_a_second_run_sends_nothing_and_writes_nothing_new(made: tuple[Path, dict]) -> None:
    state, _ = made
    store = DeltaStore(str(state / "tables"))
    before = rows_of(state), [store.version(name) for name in ASSETS]
    said = run_json(state)
    assert said["requests_sent"] == 0
    assert said["requests_reused"] > 0
    assert (rows_of(state), [store.version(name) for name in ASSETS]) == before


def test_tables_come_back_from_the_response_store(made: tuple[Path, dict], tmp_path: Path) -> None:
    state, _ = made
    before = rows_of(state)
    remove_tables(state)
    said = run_json(state)
    assert said["requests_sent"] == 0
    assert rows_of(state) == before


def test_tables_come_back_by_a_backfill_from_dagit(made: tuple[Path, dict], tmp_path: Path) -> None:
    state, _ = made
    before = rows_of(state)
    shards = sorted(DeltaStore(str(state / "tables")).read("images")["shard"].unique())
    remove_tables(state)
    with running_dagit(state, tmp_path / "dagit.log", {"LGT_PROFILE": "embedded", "HF_HUB_OFFLINE": "1"}) as dagit:
        finished = dagit.backfill(PARTITIONED, shards, seconds=600)
        assert finished["status"] in ("COMPLETED", "COMPLETED_SUCCESS"), finished
    lgt(state, "run", "--select", "release")
    assert rows_of(state) == before
    store = DeltaStore(str(state / "tables"))
    assert store.read("funnel")["requests_sent"].sum() == 0


def test_show_follows_a_row_to_its_picture_and_to_the_mix(made: tuple[Path, dict]) -> None:
    store = DeltaStore(str(made[0] / "tables"))
    trace = store.read("expanded_traces").row(0, named=True)
    shown = lgt(made[0], "show", trace["trace_id"])
    for identity in (trace["image_id"], trace["question_id"], trace["cot_id"], trace["trace_id"]):
        assert identity in shown


def test_a_page_for_auditors_shows_real_rows(made: tuple[Path, dict]) -> None:
    lgt(made[0], "audit", "sample", "--table", "expanded_traces", "--n", "5", "--seed", "3")
    page = (made[0] / "audits/expanded_traces-5-3.html").read_text()
    assert page.count("<article") == page.count("data:image/jpeg;base64,") == 5
    assert "http://" not in page and "https://" not in page


@pytest.fixture(scope="module")
def greedy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A profile at temperature 0, and a state made with it in process."""
    folder = tmp_path_factory.mktemp("greedy")
    profile = yaml.safe_load((PROFILES_FOLDER / "embedded.yaml").read_text())
    for role in profile["roles"].values():
        role["sampling"]["temperature"] = 0.0
    (folder / "greedy.yaml").write_text(yaml.safe_dump(profile))
    add_scenes(folder / "state", FEW_PICTURES, 3)
    run_json(folder / "state", profile=folder / "greedy.yaml")
    return folder / "greedy.yaml", folder / "state"


@contextmanager
def faulty_server() -> Iterator[str]:
    """The embedded model behind HTTP in another process; it refuses a tenth of the requests and drops a twentieth."""
    command = [
        sys.executable, "-m", "lgt_assets_tests.engines.openai_test_server", "--port", "0", "--model", "embedded",
        "--served-name", "embedded", "--threads", "1", "--busy", "0.1", "--drop", "0.05",
    ]  # fmt: skip
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"HF_HUB_OFFLINE": "1"})
    try:
        assert server.stdout is not None
        yield json.loads(server.stdout.readline())["address"]
    finally:
        server.kill()  # it keeps nothing, and whoever started the tests may have had SIGTERM ignored
        server.wait(30)


def test_the_same_rows_through_a_server_that_fails_now_and_then(greedy: tuple[Path, Path], tmp_path: Path) -> None:
    profile = yaml.safe_load(greedy[0].read_text())
    with faulty_server() as address:
        profile["models"]["small"] = {
            "engine": "openai_server", "endpoints": [address], "model": "embedded", "served_model": "embedded",
            "in_flight": 32, "backoff_base_seconds": 0.05, "backoff_cap_seconds": 0.5, "attempts": 20,
        }  # fmt: skip
        path = tmp_path / "server.yaml"
        path.write_text(yaml.safe_dump(profile))
        add_scenes(tmp_path / "state", FEW_PICTURES, 3)
        said = run_json(tmp_path / "state", profile=path)
    assert said["requests_sent"] > 0
    # The card says which engine answered, so that the release has another id; what it holds is the same.
    engine = ("uri", "release_id", "facts", "inputs")
    in_process, served = rows_of(greedy[1], without=engine), rows_of(tmp_path / "state", without=engine)
    for name in ASSETS:
        assert served[name] == in_process[name], name


def test_users_own_pictures_with_bad_rows_among_them(tmp_path: Path) -> None:
    from lgt_assets.sources import write_manifest

    manifest = write_manifest(tmp_path / "mine")
    rows = [json.loads(line) for line in manifest.read_text().splitlines()]
    bad = [
        rows[0] | {"id": "lost", "image": "pictures/lost.jpg"},
        rows[1] | {"id": "outside", "boxes": [{"label": "cat", "box": [0, 0, 99999, 10]}]},
        rows[2] | {"id": "wordless", "caption": " "},
    ]
    manifest.write_text("".join(json.dumps(row) + "\n" for row in [*rows[:3], *bad, *rows[3:]]))
    state = tmp_path / "state"
    said = lgt(state, "sources", "add", "mine", "--kind", "manifest", "--path", str(manifest), "--json")
    counts = json.loads(said.strip().splitlines()[-1])
    assert (counts["added"], counts["bad"]) == (len(rows), 3)
    tables = run_json(state, "--select", "images,grounded_objects")["tables"]
    assert tables["images"]["rows"] == len(rows)
    assert sum(tables["images"]["rejected"].values()) == 3
    assert tables["grounded_objects"]["rows"] > 50
    rejections = DeltaStore(str(state / "tables")).read("rejections")
    assert any("row 4" in detail and "lost.jpg" in detail for detail in rejections["detail"])


def test_errors_are_told_without_a_traceback(tmp_path: Path) -> None:
    said = lgt(tmp_path, "run", succeeds=False)
    assert "add a source first" in said
    assert "Traceback" not in said
