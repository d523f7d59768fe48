"""Two versions of real Delta tables: what came, went and changed, and why."""

import os
from pathlib import Path

import pytest

from lgt_assets.delta_files import TableFolder
from lgt_assets.differences.history import Commit, History, versions_at, versions_before_last_run
from lgt_assets.differences.tables import TABLE_KEYS, diff_table
from lgt_assets.errors import NotFoundError
from lgt_assets.identity import digest
from lgt_assets.schemas import SCHEMAS, frame, polars_schema
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.made_tables import generation_row, made_rows, rejection_row
from lgt_assets_tests.rows import SHARD, image_row, object_row, question_row

OTHER = "other-00000"


class State:
    """Two shards with a picture each and seed questions; a write is one version."""

    def __init__(self, root: Path) -> None:
        self.store = DeltaStore(str(root / "tables"))
        self.folder = TableFolder(self.store.root)
        self.images = {SHARD: image_row(), OTHER: image_row(1, shard=OTHER, ordinal=0)}
        for shard, image in self.images.items():
            self.store.replace("images", frame("images", [image]), shard=shard)
            self.store.replace("grounded_objects", frame("grounded_objects", [object_row(image)]), shard=shard)

    def question(self, number: int, shard: str = SHARD, **changes: object) -> dict:
        return question_row(self.images[shard], [], number, **changes)

    def write(
        self, questions: list[dict], *, shard: str = SHARD, code: str = "1-a", template: str = "t1", model: str = "small",
        sampling: str = "{}", rejected: dict[str, str] | None = None,
    ) -> int:  # fmt: skip
        """As make_shard writes: rejections and completions first, the table last; all that was ever asked stays."""
        commit = {"run_id": f"run of {code}", "code_version": code, "lgt_asset": "seed_questions"}
        rejections = [
            rejection_row("seed_questions", reason, n) | {"shard": shard, "request_key": key}
            for n, (key, reason) in enumerate((rejected or {}).items())
        ]
        self.store.replace("rejections", frame("rejections", rejections), shard=shard, asset="seed_questions")
        held = {row["request_key"]: row for row in self.store.read("generations", shards=[shard]).to_dicts()}
        for key in [*(row["request_key"] for row in questions), *(rejected or {})]:
            asked = {"template_hash": template, "model": model, "sampling": sampling, "shard": shard}
            held.setdefault(key, generation_row("seed_questions", key, "text") | asked)
        generations = [row | {"ordinal": place} for place, (_, row) in enumerate(sorted(held.items()))]
        self.store.replace("generations", frame("generations", generations), shard=shard, asset="seed_questions")
        rows = [row | {"ordinal": place} for place, row in enumerate(questions)]
        return self.store.replace("seed_questions", frame("seed_questions", rows), shard=shard, metadata=commit)

    def diff(self, table: str = "seed_questions", **options: object):
        return diff_table(self.folder, table, **options)


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path)


def counts(found) -> dict:
    return {kind: dict(reasons) for kind, reasons in found.reasons.items() if reasons}


def test_rows_are_counted_by_what_became_of_them(state):
    a, b, c, d = (state.question(n) for n in range(4))
    state.write([a, b, c])
    state.write([b, a | {"question": "Else?"}, d])
    found = state.diff()
    assert (found.start, found.end) == (1, 2)
    assert dict(found.rows) == {"removed": 1, "added": 1, "changed": 1, "moved": 1, "unchanged": 0}
    assert found.columns == {"question": 1}
    (example,) = found.examples["changed"]
    assert example["key"] == a["question_id"] and example["columns"]["question"] == [
        "What colour is the ball?",
        "Else?",
    ]
    assert found.runs == [
        {"run_id": "run of 1-a", "asset": "seed_questions", "code_version": "1-a", "commits": 1, "versions": [2, 2]}
    ]


def test_a_removed_row_that_is_rejected_now_says_why_and_the_way_back_too(state):
    a, b = state.question(0), state.question(1)
    state.write([a, b])
    state.write([b], rejected={a["request_key"]: "answerable_blind"})
    state.write([a, b])
    assert counts(state.diff(start=1, end=2)) == {"removed": {"rejected: answerable_blind": 1}}
    assert counts(state.diff(start=2, end=3)) == {"added": {"was rejected: answerable_blind": 1}}
    assert counts(state.diff(start=1, end=3)) == {}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"template": "t2"}, "template changed"),
        ({"model": "large"}, "model changed"),
        ({"sampling": '{"top_k": 1}'}, "sampling changed"),
        ({"template": "t2", "model": "large"}, "template changed"),
        ({}, "prompt changed"),
    ],
)
def test_another_completion_says_what_was_asked_differently(state, changes, reason):
    state.write([state.question(0)])
    state.write([state.question(1)], code="1-b", **changes)
    assert counts(state.diff()) == {"removed": {reason: 1}, "added": {reason: 1}}


def test_the_same_completion_read_by_other_code_is_the_code_s_doing(state):
    a = state.question(0)
    state.write([a], code="1-a")
    state.write([a | {"question_id": state.question(9)["question_id"]}], code="2-a")
    assert counts(state.diff()) == {kind: {"code changed: 1-a to 2-a": 1} for kind in ("removed", "added")}
    state.write([a], code="2-a")
    assert counts(state.diff()) == {kind: {"read or drawn otherwise": 1} for kind in ("removed", "added")}


def test_a_row_whose_parent_is_gone_says_which(state):
    rows = made_rows()
    seeds, composed = rows["seed_questions"], rows["composed_questions"][0]
    state.write(seeds)
    state.store.replace("composed_questions", frame("composed_questions", [composed]), shard=SHARD)
    state.write(seeds[1:])
    state.store.replace("composed_questions", frame("composed_questions", []), shard=SHARD)
    assert counts(state.diff("composed_questions")) == {"removed": {"parent gone: seed_questions": 1}}
    state.write(seeds)
    state.store.replace("composed_questions", frame("composed_questions", [composed]), shard=SHARD)
    assert counts(state.diff("composed_questions")) == {"added": {"parent new: seed_questions": 1}}


def test_of_a_run_over_two_shards_each_is_laid_to_its_own_parents(state):
    """Both shards' boxes are new before the first shard's questions are written again: a run goes layer by layer."""
    for number, shard in enumerate((SHARD, OTHER)):
        boxed = object_row(state.images[shard])
        state.write([state.question(number, shard, object_ids=[boxed["object_id"]])], shard=shard)
    boxes = {shard: object_row(image, 1) for shard, image in state.images.items()}
    for shard, box in boxes.items():
        state.store.replace("grounded_objects", frame("grounded_objects", [box]), shard=shard)
    for number, (shard, box) in enumerate(boxes.items(), start=2):
        state.write([state.question(number, shard, object_ids=[box["object_id"]])], shard=shard)
    one = {"removed": {"parent gone: grounded_objects": 1}, "added": {"parent new: grounded_objects": 1}}
    both = {kind: dict.fromkeys(reason, 2) for kind, reason in one.items()}
    versions = [(2, 3), (3, 4), (2, 4)]
    assert [counts(state.diff(start=start, end=end)) for start, end in versions] == [one, one, both]
    for box in boxes.values():  # what became of the boxes later is not the questions' doing
        state.store.replace("grounded_objects", frame("grounded_objects", []), shard=box["shard"])
    assert [counts(state.diff(start=start, end=end)) for start, end in versions] == [one, one, both]


def test_a_new_shard_is_new_and_others_are_not_opened(state):
    state.write([state.question(0)])
    for path in Path(state.folder.uri("seed_questions")).glob(f"shard={SHARD}/*.parquet"):
        os.remove(path)  # a slice with the same files on both sides is not read
    state.write([state.question(0, OTHER)], shard=OTHER)
    found = state.diff()
    assert counts(found) == {"added": {"shard new": 1}}
    assert (found.slices["same"], found.slices["compared"], found.slices["new"]) == (1, 1, 1)
    assert found.examples["added"][0]["label"] == "What colour is the ball?"


def test_a_shard_that_was_empty_before_is_not_new(state):
    key = state.question(0)["request_key"]
    state.write([state.question(1)])
    state.write([], rejected={key: "answerable_blind"})
    state.write([state.question(0)])
    assert counts(state.diff()) == {"added": {"was rejected: answerable_blind": 1}}


def test_shards_are_chosen_by_pattern(state):
    for shard in (SHARD, OTHER):
        state.write([state.question(0, shard)], shard=shard)
    assert state.diff(start=0, shards="other-*").rows["added"] == 1
    assert state.diff(start=0, shards="none-*").slices == {}


def test_a_changed_row_is_laid_to_its_completion_or_to_the_code(state):
    a, b = state.question(0), state.question(1)
    state.write([a, b], code="1-a")
    state.write([a | {"request_key": digest("again")}, b | {"blindness": 0.5}], code="1-b")
    assert counts(state.diff()) == {"changed": {"completion changed": 1, "code changed: 1-a to 1-b": 1}}


def test_rejections_are_told_by_asset_and_reason(state):
    key = state.question(0)["request_key"]
    state.write([], rejected={})
    state.write([], rejected={key: "cut_off"})
    assert counts(state.diff("rejections")) == {"added": {"seed_questions: cut_off": 1}}


def test_versions_that_are_not_there_are_named(state):
    state.write([state.question(0)])
    state.write([state.question(1)])
    with pytest.raises(NotFoundError, match="versions up to 2; there is no version 9"):
        state.diff(end=9)
    with pytest.raises(NotFoundError, match="no version before 0"):
        state.diff(end=0)
    with pytest.raises(NotFoundError, match="there is no table nonsense; there are images"):
        state.diff("nonsense")
    with pytest.raises(NotFoundError, match="there is no table rl_prompts at"):
        state.diff("rl_prompts")


def test_vacuumed_files_are_named(state):
    state.write([state.question(0)])
    old = list(Path(state.folder.uri("seed_questions")).glob(f"shard={SHARD}/*.parquet"))
    state.write([state.question(1)])
    for path in old:
        os.remove(path)
    with pytest.raises(NotFoundError, match="seed_questions, version 1: 1 of its data files are gone"):
        state.diff()


def test_where_other_tables_were_vacuumed_the_reason_says_less(state):
    a, b = state.question(0), state.question(1)
    state.write([b], rejected={a["request_key"]: "cut_off"})
    state.write([a, b])
    for table in ("rejections", "generations"):
        held = {name for one in state.folder.open(table).slices for name in one.files}
        for path in Path(state.folder.uri(table)).glob("**/*.parquet"):
            if str(path) not in held:
                os.remove(path)
    assert counts(state.diff()) == {"added": {"read or drawn otherwise": 1}}


def test_other_tables_are_found_as_they_were(state):
    a, b = state.question(0), state.question(1)
    state.write([a, b])
    state.write([b], rejected={a["request_key"]: "cut_off"})
    before, after = (
        versions_at(state.folder, "seed_questions", n, ["rejections", "generations", "rl_prompts"]) for n in (1, 2)
    )
    assert before == {"seed_questions": 1, "rejections": 0, "generations": 1} and after["rejections"] == 1
    assert state.store.read("rejections", version=after["rejections"]).height == 1


def test_the_state_before_a_run_over_two_shards_is_not_amid_it(state):
    for number, code in ((0, "1-a"), (1, "2-a")):
        for shard in (SHARD, OTHER):
            state.write([state.question(number, shard)], shard=shard, code=code)
    # The run of 2-a wrote seed_questions twice; completions were written by nobody who said so, images not at all.
    before = versions_before_last_run(state.folder, "seed_questions", ["seed_questions", "images", "rl_prompts"])
    assert before == {"seed_questions": 2, "images": 2}
    assert state.diff(start=before["seed_questions"]).rows["added"] == 2


def test_maintenance_comes_between_no_two_states(state):
    for number in range(3):
        state.write([state.question(number)], code=f"{number}-a")
    written = state.store.version("seed_questions")
    before = versions_before_last_run(state.folder, "seed_questions", ["rejections"])
    state.store.open("seed_questions").vacuum(
        0, dry_run=False, enforce_retention_duration=False, keep_versions=[written - 1]
    )
    state.store.open("seed_questions").alter.set_table_properties({"delta.logRetentionDuration": "interval 9 days"})
    found = state.diff()
    assert (found.start, found.end) == (written - 1, written + 3)
    assert dict(found.rows) == {"removed": 1, "added": 1, "changed": 0, "moved": 0, "unchanged": 0}
    assert versions_before_last_run(state.folder, "seed_questions", ["rejections"]) == before


def test_versions_with_the_same_rows_of_a_shard():
    def log(*shards: str, first: int = 0) -> History:
        return History(tuple(Commit(n, 10 * n, shard, "", "", "", "") for n, shard in enumerate(shards, first))[::-1])

    whole = log("", "a", "b", "a", "b")
    assert [whole.written_at("a", n) for n in (1, 2, 4)] == [10, 10, 30]
    assert [whole.written_at("c", n) for n in (0, 2)] == [0, 0]  # a commit without a shard touches all
    assert whole.same_since("a", 25) == range(1, 3) and whole.same_since("b", 25) == range(2, 4)
    assert whole.same_since("a", 99) == range(3, 5) and not whole.same_since("a", -1)
    cleaned = log("b", "a", first=7)
    assert cleaned.written_at("c", 8) == 80
    assert cleaned.same_since("a", 5) == range(7, 8)  # the log no longer tells, but nothing touched it before version 8
    assert not cleaned.same_since("b", 5)
    vacuumed = History((Commit(5, 50, "", "", "", "", "", "VACUUM END"), *whole.commits))
    assert vacuumed.written_at("a", 5) == 30 and vacuumed.same_since("b", 25) == range(2, 4)


@pytest.mark.parametrize("table", SCHEMAS)
def test_every_table_has_a_key_of_its_columns(table):
    assert set(TABLE_KEYS[table]) <= set(polars_schema(table))


def test_commits_that_change_no_row_are_no_ones_runs() -> None:
    wrote = Commit(1, 10, "s-00000", "images", "images", "run-1", "abc")
    upkeep = [
        Commit(n, 10 * n, "", "", "", "", "", name) for n, name in enumerate(("SET TBLPROPERTIES", "OPTIMIZE"), 2)
    ]
    assert History((*upkeep[::-1], wrote)).between(0, 3, ["s-00000"]) == [
        {"run_id": "run-1", "asset": "images", "code_version": "abc", "commits": 1, "versions": [1, 1]}
    ]
