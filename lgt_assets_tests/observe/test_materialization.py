"""What one materialization carries is complete and never too large, whatever is in the rows and however many there are."""

import json
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from dagster._serdes import serialize_value
from PIL import Image

from lgt_assets.observe.materialization import PLOT_BYTES, PREVIEW_BYTES, shard_metadata
from lgt_assets.observe.measures import MEASURES
from lgt_assets.schemas import frame
from lgt_assets_tests.made_tables import funnel_row, made_rows
from lgt_assets_tests.observe.test_preview import NOISE, image_at, pictures_in, png
from lgt_assets_tests.observe.test_shown_rows import find_in
from lgt_assets_tests.rows import image_row

MOST_BYTES = 200_000
TABLES = sorted(MEASURES)
HUGE = {
    "plain": "word " * 40_000,
    "pipes": "|" * 200_000,
    "emoji": "\N{GRINNING FACE}" * 100_000,
    "turned": "\u202e<" * 90_000,
}


def metadata_of(
    table: str, rows: list[dict], tables: dict, *, reasons: list[str] | None = None, times: int = 1
) -> dict:
    batch = frame(table, rows)
    row = funnel_row(table, accepted=batch.height * times, rejected=len(reasons or ()))
    return shard_metadata(
        table, funnel=row, reasons=reasons or [], delta_version=3, batches=repeat(batch, times), find=find_in(tables)
    )


def event_bytes(metadata: dict) -> int:
    return len(serialize_value(dg.AssetMaterialization("x", partition="made-00000", metadata=metadata)))


def enlarged(value: object, text: str, column: str = "") -> object:
    """The row with every text that a model or a source writes made huge; ids stay."""
    if isinstance(value, dict):
        return {name: enlarged(item, text, name) for name, item in value.items()}
    if isinstance(value, list):
        return [enlarged(item, text, column) for item in value]
    kept = column.endswith(("_id", "_ids")) or column in ("images", "uri", "sha256", "shard", "request_key", "role")
    return value if kept or not isinstance(value, str) else text


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, list[dict]]:
    """The made tables, with a real picture."""
    found = made_rows()
    image = image_at(tmp_path / "a.png", png(Image.new("RGB", (100, 80), "#808080")))
    old = found["images"][0]["image_id"]
    return json.loads(json.dumps(found | {"images": [image]}).replace(old, image["image_id"]))


@pytest.mark.parametrize("table", TABLES)
def test_every_table_has_numbers_plots_a_funnel_and_a_picture(table: str, tables: dict) -> None:
    found = metadata_of(table, tables[table], tables, reasons=["cut_off"])
    assert {"asked", "rejected", "seconds", "requests_reused", "completion_tokens", "delta/version"} <= set(found)
    assert "cut&#95;off" in found["funnel"].value and found["rejected/cut_off"] == 1
    assert found["plots"].value.startswith("![plots](data:image/png;base64,")
    assert len(pictures_in(found["preview"].value)) == 1
    assert any(isinstance(found[mean.name], float) for mean in MEASURES[table].means)
    assert event_bytes(found) < 40_000


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("kind", sorted(HUGE))
def test_huge_and_hostile_rows_stay_within_the_limit(table: str, kind: str, tables: dict) -> None:
    rows = enlarged(tables[table], HUGE[kind])
    reasons = [f"reason_{n}_{HUGE[kind][:300]}" for n in range(60)]
    found = metadata_of(table, rows * 6, enlarged(tables, HUGE[kind]), reasons=reasons)
    assert event_bytes(found) < MOST_BYTES


def test_the_largest_pictures_and_rows_at_once_stay_within_the_limit(tmp_path: Path) -> None:
    images = [
        image_at(tmp_path / f"{n}.png", png(NOISE.rotate(n))) | {"caption": HUGE["emoji"], "license": HUGE["pipes"]}
        for n in range(9)
    ]
    found = metadata_of("images", images, {})
    assert event_bytes(found) < MOST_BYTES
    assert PREVIEW_BYTES / 2 < len(json.dumps(found["preview"].value)) <= PREVIEW_BYTES
    assert len(json.dumps(found["plots"].value)) <= PLOT_BYTES


def test_a_hundred_thousand_rows_are_counted_and_say_no_more_than_a_few(tables: dict) -> None:
    rows = tables["distilled_cots"]
    few, many = (metadata_of("distilled_cots", rows * 500, tables, times=times) for times in (1, 100))
    assert many["share_right"] == few["share_right"] == 0.5
    assert many["mean_thought_characters"] == len("I look.")
    assert event_bytes(many) < 1.1 * event_bytes(few)


def test_batches_are_taken_one_at_a_time(tables: dict) -> None:
    held: list[pl.DataFrame] = []

    def batches() -> Iterator[pl.DataFrame]:
        import gc
        import weakref

        alive = []
        for _ in range(5):
            batch = frame("distilled_cots", tables["distilled_cots"])
            alive.append(weakref.ref(batch))
            yield batch
            del batch
            gc.collect()
            held.append(sum(reference() is not None for reference in alive))

    shard_metadata(
        "distilled_cots", funnel=funnel_row("distilled_cots", accepted=10), reasons=[], delta_version=1, batches=batches(),
        find=find_in(tables),
    )  # fmt: skip
    assert max(held) <= 2  # the first, of which rows are shown, and the one at hand


def test_no_rows_have_numbers_but_nothing_to_show() -> None:
    for batches in ([], [frame("images", [])]):
        found = shard_metadata(
            "images", funnel=funnel_row("images", asked=2, rejected=2), reasons=["missing_file"] * 2, delta_version=0,
            batches=batches, find=find_in({}),
        )  # fmt: skip
        assert found["rejected/missing_file"] == 2
        assert not {"plots", "preview"} & set(found)


def test_a_picture_that_is_gone_fails_nothing() -> None:
    found = metadata_of("images", [image_row(n) for n in range(3)], {})
    assert found["preview"].value.count("The picture cannot be shown:") == 3
