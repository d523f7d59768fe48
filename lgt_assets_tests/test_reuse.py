"""What is asked again, and what is not: after edits, after failures, after `gc`.

The real graph, against a server that answers by rule.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from benchmarks.crash import write_profile
from lgt_assets import runs
from lgt_assets.assets.dry_run import ESTIMATED, PLANNED, UNKNOWN
from lgt_assets.assets.registration import register
from lgt_assets.cli import main
from lgt_assets.instance import open_instance
from lgt_assets.prompts.templates import PROMPTS_FOLDER
from lgt_assets.resources import Tables
from lgt_assets.runs import RunSummary
from lgt_assets.storage import DeltaStore, canonical_rows

ASKING = ("seed_questions", "composed_questions", "distilled_cots", "expanded_traces")
ASSETS = ("images", "grounded_objects", *ASKING, "preference_pairs", "sft_mix", "rl_prompts")
CHOSEN = ",".join(ASSETS)


class Place:
    """A state folder, a profile, and the log of the server that the profile names."""

    def __init__(self, folder: Path, prompts: Path, log: Path, refuse: Path, port: int) -> None:
        self.folder, self.log, self.refuse = folder, log, refuse
        self.state, self.profile = folder / "state", folder / "rule.yaml"
        write_profile(self.profile, port)
        self.edit_profile(prompts=str(folder / "prompts"))
        shutil.copytree(prompts, folder / "prompts")

    def edit_profile(self, **changes: object) -> None:
        self.profile.write_text(yaml.safe_dump(yaml.safe_load(self.profile.read_text()) | changes))

    def add_scenes(self, count: int) -> None:
        with open_instance() as instance:
            register(instance, Tables().store(), "scenes", "scenes", {"count": count, "seed": 0}, shard_size=3)

    def run(self, selection: str = CHOSEN, *, retry: bool = False) -> RunSummary:
        with open_instance() as instance:
            if retry:
                return runs.retry_failed(instance, self.store, selection=selection)
            return runs.run(instance, selection=selection)

    def ahead(self) -> dict[str, tuple[int | None, int, str]]:
        """By asset and role: to send, reused, how known; all shards together."""
        with open_instance() as instance:
            estimates = runs.look_ahead(instance, selection=CHOSEN)
        return {f"{e.asset}/{e.role}": (e.requests_to_send, e.requests_reused, e.basis) for e in estimates}

    @property
    def store(self) -> DeltaStore:
        return DeltaStore(str(self.state / "tables"))

    def sent(self) -> dict[str, int]:
        rows = self.store.read("funnel")
        return {name: rows.filter(asset=name)["requests_sent"].sum() for name in ASKING}

    def asked(self) -> int:
        return len(self.log.read_text().split())

    def rows(self) -> dict[str, str]:
        return {name: canonical_rows(self.store.read(name)) for name in ASKING}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path, int]]:
    folder = tmp_path_factory.mktemp("server")
    log, refuse = folder / "requests.log", folder / "refuse"
    command = [sys.executable, "-m", "benchmarks.crash_parts.answering_server", "--delay", "0"]
    process = subprocess.Popen(
        [*command, "--log", str(log), "--refuse", str(refuse)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    assert process.stdout is not None
    yield log, refuse, json.loads(process.stdout.readline())["port"]
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def grown(server: tuple[Path, Path, int], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three scenes, everything made once."""
    folder = tmp_path_factory.mktemp("grown")
    place = Place(folder, PROMPTS_FOLDER / "embedded", *server)
    with pytest.MonkeyPatch.context() as patch:
        _enter(patch, place)
        place.add_scenes(3)
        assert place.run().failures == []
        assert min(place.sent().values()) > 0, place.sent()
    return folder


def _enter(patch: pytest.MonkeyPatch, place: Place) -> None:
    patch.setenv("LGT_STATE", str(place.state))
    patch.setenv("LGT_PROFILE", str(place.profile))
    patch.delenv("DAGSTER_HOME", raising=False)
    from lgt_assets import resources

    resources._profile.cache_clear()


@pytest.fixture
def place(
    grown: Path, server: tuple[Path, Path, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    """A copy of what is grown, with a profile and prompts of its own."""
    place = Place(tmp_path, grown / "prompts", *server)
    shutil.copytree(grown / "state", place.state)
    _enter(monkeypatch, place)
    yield place
    server[1].unlink(missing_ok=True)


def test_an_edited_parser_asks_for_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from lgt_assets.synthesis import distill
    from lgt_assets.synthesis.parsing import Rejected

    before, made = place.asked(), place.store.read("distilled_cots").height
    strict = distill.parsed_trace

    def stricter(answer: object, prefix: str = "") -> object:
        trace = strict(answer, prefix)
        return Rejected("cut_off", "x") if answer.context["sample_index"] == 0 else trace

    monkeypatch.setattr(distill, "parsed_trace", stricter)
    ahead = place.ahead()
    assert ahead["distilled_cots/vlm"][0] == 0
    assert place.run("distilled_cots").failures == []
    assert place.asked() == before
    assert 0 < place.store.read("distilled_cots").height < made


def test_an_edited_prompt_asks_for_nothing_above_or_beside(place: Place) -> None:
    template = place.folder / "prompts" / "reasoner.jinja"
    template.write_text(template.read_text() + "\nTake your time.\n")
    wanted = place.store.read("funnel").filter(asset="expanded_traces")
    reasoned = place.store.read("generations").filter(asset="expanded_traces", role="reasoner").height
    ahead = place.ahead()
    before = place.asked()
    assert place.asked() == before  # looking ahead sends nothing
    assert place.run().failures == []
    sent = place.sent()
    assert sent == dict.fromkeys(ASKING, 0) | {"expanded_traces": sent["expanded_traces"]}
    assert reasoned <= sent["expanded_traces"] <= wanted["requests_sent"].sum() + reasoned
    assert ahead["expanded_traces/reasoner"] == (reasoned, 0, PLANNED)
    assert [value[0] for name, value in ahead.items() if not name.startswith("expanded_traces")].count(0) == len(
        ahead
    ) - sum(name.startswith("expanded_traces") for name in ahead)


def test_added_pictures_ask_for_theirs_alone(place: Place) -> None:
    before, rows = place.asked(), place.store.read("distilled_cots", shards=["scenes-00000"])
    place.add_scenes(6)
    assert place.run().failures == []
    funnel = place.store.read("funnel")
    assert funnel.filter(shard="scenes-00000")["requests_sent"].sum() == 0
    assert funnel.filter(shard="scenes-00001")["requests_sent"].sum() == place.asked() - before > 0
    assert place.store.read("distilled_cots", shards=["scenes-00000"]).equals(rows)


def test_a_dry_run_before_anything_is_made_plans_what_it_can(place: Place) -> None:
    place.add_scenes(6)
    tables = {path: path.stat().st_mtime_ns for path in (place.state / "tables").rglob("*.parquet")}
    before, stored = place.asked(), sorted((place.state / "responses").rglob("*"))
    with open_instance() as instance:
        estimates = runs.look_ahead(instance, selection=CHOSEN, shards="scenes-00001")
    assert (place.asked(), sorted((place.state / "responses").rglob("*"))) == (before, stored)
    assert {path: path.stat().st_mtime_ns for path in (place.state / "tables").rglob("*.parquet")} == tables
    by_role = {(e.asset, e.role): e for e in estimates}
    assert by_role["seed_questions", "questioner"].basis == PLANNED
    assert by_role["distilled_cots", "vlm"].basis == ESTIMATED
    assert place.run().failures == []
    funnel = place.store.read("funnel").filter(shard="scenes-00001")
    questioner = place.store.read("generations").filter(shard="scenes-00001", role="questioner").height
    assert by_role["seed_questions", "questioner"].requests_to_send == questioner
    assert sum(e.requests_to_send for e in estimates) == pytest.approx(funnel["requests_sent"].sum(), rel=0.5)
    assert all(e.completion_tokens and e.hours is not None for e in estimates)


def test_what_was_never_recorded_is_unknown_and_prices_make_dollars(place: Place) -> None:
    shutil.rmtree(place.state / "tables")
    shutil.rmtree(place.state / "responses")
    place.add_scenes(3)
    with open_instance() as instance:
        estimates = runs.look_ahead(instance, selection=CHOSEN)
    assert {e.basis for e in estimates} == {PLANNED, UNKNOWN}
    assert all(e.dollars is None for e in estimates)


def test_failed_requests_are_kept_and_retried_alone(place: Place) -> None:
    shutil.rmtree(place.state / "responses")
    for table in ("generations", "distilled_cots"):
        shutil.rmtree(place.state / "tables" / table)
    question = place.store.read("seed_questions").row(0, named=True)["question"]
    place.refuse.write_text(f"Question: {question}")
    failures = place.run("distilled_cots").failures
    assert len(failures) == 1 and "too long" in failures[0] and "--retry-failed" in failures[0]
    kept = place.store.read("failures")
    assert kept["asset"].unique().to_list() == ["distilled_cots"] and kept.height == 4
    assert all("too long" in error for error in kept["error"])
    assert not place.store.exists("distilled_cots")
    place.refuse.unlink()
    before = place.asked()
    summary = place.run(retry=True)
    assert (summary.failures, summary.assets, summary.shards) == ([], ["distilled_cots"], ["scenes-00000"])
    assert place.asked() - before == 4
    assert place.store.read("failures").height == 0
    assert place.run(retry=True).assets == []


def test_a_share_of_failures_can_be_allowed(place: Place) -> None:
    shutil.rmtree(place.state / "responses")
    shutil.rmtree(place.state / "tables" / "generations")
    made = place.store.read("distilled_cots").height
    question = place.store.read("seed_questions").row(0, named=True)["question"]
    place.refuse.write_text(f"Question: {question}")
    place.edit_profile(maximum_failure_share=0.2)
    assert place.run("distilled_cots").failures == []
    row = place.store.read("funnel").filter(asset="distilled_cots").row(0, named=True)
    assert (row["requests_failed"], place.store.read("failures").height) == (4, 4)
    assert 0 < place.store.read("distilled_cots").height <= made - 4


def test_gc_removes_what_nobody_needs_and_nothing_else(place: Place, capsys: pytest.CaptureFixture) -> None:
    before = place.rows()
    template = place.folder / "prompts" / "reasoner.jinja"
    template.write_text(template.read_text() + "\nTake your time.\n")
    stale = place.store.read("generations").filter(asset="expanded_traces", role="reasoner").height
    assert place.run("expanded_traces").failures == []

    def said(*arguments: str) -> dict:
        _cli("store", *arguments, "--json")
        return json.loads(capsys.readouterr().out.strip().splitlines()[-1])

    assert said("verify")["problems"] == []
    held = said("stats")["shards"][0]["completions"]
    found = said("gc")
    assert found["completions"] >= stale and not found["removed"]
    assert said("stats")["shards"][0]["completions"] == held
    assert said("gc", "--yes")["completions"] == found["completions"]
    assert said("stats")["shards"][0]["completions"] == held - found["completions"]
    assert said("gc")["completions"] == 0
    asked, after = place.asked(), place.rows()
    assert place.run().failures == []
    assert (place.asked(), place.rows()) == (asked, after)
    assert before | {"expanded_traces": after["expanded_traces"]} == after != before


def _cli(*arguments: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert not ended.value.code


def test_the_command_line_looks_ahead(place: Place, capsys: pytest.CaptureFixture) -> None:
    _cli("run", "--dry-run", "--select", CHOSEN, "--json")
    said = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert said["totals"]["requests_to_send"] == 0 and said["totals"]["requests_reused"] > 0
    _cli("run", "--dry-run", "--select", CHOSEN)
    assert "requests to send: 0" in capsys.readouterr().out
    _cli("report", "--by-shard", "--json")
    report = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert set(report["costs"]) == set(ASKING)
    assert all(cost["completion_tokens"] > 0 for cost in report["costs"].values())
    assert (
        sum(cost["device_seconds"] for cost in report["costs"].values()) > 0
    )  # of one asset they may round to nothing
    assert {row["shard"] for row in report["shard_costs"]} == {"scenes-00000"}
