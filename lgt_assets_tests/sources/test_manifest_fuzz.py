"""Whatever a manifest holds, each row is a record or a problem, and all of it can be stored and added again."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lgt_assets.errors import SourceError
from lgt_assets.schemas import SCHEMAS, frame
from lgt_assets.sources import SourceProblem, SourceRecord, add_source, shard_rows
from lgt_assets_tests.sources.pictures import flat_picture, judged, write_lines

EXAMPLES = int(os.environ.get("LGT_FUZZ_EXAMPLES", "150"))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.just("good.png"),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from(["label", "box", "phrase", "score", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)
boxes = st.lists(
    st.fixed_dictionaries(
        {
            "label": st.just("a") | values,
            "box": st.lists(st.integers(-2, 45) | st.floats() | values, min_size=3, max_size=5),
        },
        optional={"phrase": values, "score": st.floats(0, 1) | values},
    )
    | values,
    max_size=3,
)


any_row = st.fixed_dictionaries(
    {
        "image": st.sampled_from(["good.png", "other.png"]) | values,
        "caption": st.just("A ball.") | values,
        "boxes": boxes | values,
    },
    optional={"id": values, "license": values, "attribution": values, "extra": values},
)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields=any_row)
def test_any_row_is_a_record_or_a_problem(tmp_path: Path, fields: dict) -> None:
    flat_picture(tmp_path / "good.png", 1)
    flat_picture(tmp_path / "other.png", 2)
    (entry,) = judged(write_lines(tmp_path / "manifest.jsonl", [fields]))
    if isinstance(entry, SourceProblem):
        assert entry.reason.isidentifier() and entry.detail and entry.row == 1
        entry.raw.encode(), entry.detail.encode()
    else:
        assert isinstance(entry.record, SourceRecord)
        assert entry.record.caption is None or entry.record.caption.strip()
        for box in entry.record.boxes:
            assert 0 <= box.x0 < box.x1 <= 40 and 0 <= box.y0 < box.y1 <= 30 and box.label.strip()


@settings(
    max_examples=max(40, EXAMPLES // 20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(any_row | st.fixed_dictionaries({"image": st.just("good.png"), "caption": st.just("A ball."),
                                                      "boxes": st.just([])}), max_size=6))  # fmt: skip
def test_any_rows_can_be_added_stored_and_added_again(tmp_path: Path, rows: list[dict]) -> None:
    flat_picture(tmp_path / "good.png", 1)
    flat_picture(tmp_path / "other.png", 2)
    manifest = write_lines(tmp_path / "manifest.jsonl", rows)
    with TemporaryDirectory() as folder:
        state = Path(folder)
        first = add_source(state, "mine", "manifest", {"path": str(manifest)}, shard_size=1)
        assert first.images_added + first.problems_added == len(rows)
        second = add_source(state, "mine", "manifest", {"path": str(manifest)}, shard_size=1)
        assert (second.images_added, second.problems_added, second.images_known) == (0, 0, first.images_added)
        for shard in first.new_shards:
            for table, part in shard_rows(state, shard)._asdict().items():
                told = [row for row in part if row.get("caption", "") is not None]  # the others wait for a caption
                SCHEMAS[table].validate(frame(table, told))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200), suffix=st.sampled_from(["jsonl", "csv"]))
def test_any_bytes_are_rows_or_one_clear_error(tmp_path: Path, content: bytes, suffix: str) -> None:
    manifest = tmp_path / f"manifest.{suffix}"
    manifest.write_bytes(content)
    try:
        assert all(isinstance(entry, SourceProblem) for entry in judged(manifest))
    except SourceError as error:
        assert str(manifest) in str(error)
