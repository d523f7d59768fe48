"""Dagit is told all of a release, within what one materialization may have."""

from pathlib import Path

import dagster as dg
import pytest

from lgt_assets.observe.preview import stored_bytes
from lgt_assets.observe.release import CARD_BYTES, release_metadata, shown_card
from lgt_assets.release.card import card_body
from lgt_assets.release.writing import Written
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.observe.test_materialization import HUGE, MOST_BYTES, event_bytes
from lgt_assets_tests.release.made_card import EXCLUDED, card_of, made_facts, write_format, write_tables


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, list[Written]]:
    folder: Path = tmp_path_factory.mktemp("dagit")
    store = DeltaStore(str(folder / "tables"))
    write_tables(store, folder / "pictures")
    return made_facts(store), write_format(store, folder / "rows", "rows")


def test_counts_exclusions_plots_versions_and_card_are_told(made: tuple) -> None:
    found = release_metadata(card_of(*made))
    assert found["release_id"] == "0123456789abcdef"
    assert found["left_out"] == EXCLUDED[0]["rows"] and found["rows/sft_stage1/train"] == 4
    assert "| `sft_stage1` |" in found["rows"].value and "1,200" in found["excluded"].value
    assert found["plots"].value.startswith("![plots](data:image/png;base64,")
    assert "| `sft_mix` | 7 |" in found["pinned versions"].value
    card = found["card"].value
    assert "# Long Grounded Thoughts" in card and "## Citation" in card and "pretty_name" not in card
    assert "<details>" not in card and "card/rows.png" not in card and "**All settings that decided**" in card
    assert event_bytes(found) < 80_000


@pytest.mark.parametrize("kind", sorted(HUGE))
def test_huge_texts_stay_within_the_limit(kind: str, made: tuple) -> None:
    facts, written = made
    text = HUGE[kind]
    hostile = facts | {
        "models": [row | {"model": text, "revision": text} for row in facts["models"]] * 40,
        "pictures": facts["pictures"] | {"sources": [{"source": text, "license": text, "pictures": 1}] * 300},
        "example": facts["example"] | {"user": text[:2000], "assistant": text[:2000]},
    }
    excluded = [{"reason": text, "table": "images", "rows": 1}] * 500
    found = release_metadata(card_of(hostile, written, excluded=excluded))
    assert event_bytes(found) < MOST_BYTES
    assert isinstance(found["card"], dg.MarkdownMetadataValue)


def test_what_does_not_fit_is_left_out_whole_from_the_end_and_said(made: tuple) -> None:
    body = card_body(card_of(*made))
    assert "## Citation" in shown_card(body, CARD_BYTES)
    cut = shown_card(body, 4000)
    assert stored_bytes(cut) <= 4000 and "## Load it" in cut and "## Citation" not in cut
    assert cut.endswith("README.md of the release's folder.*")
