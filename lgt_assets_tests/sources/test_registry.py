"""Kinds and options: what is wrong is said together with what there is."""

import pytest

from lgt_assets.errors import SourceError
from lgt_assets.sources import SOURCES, open_source, parse_options


def test_each_kind_is_registered_under_its_own_name() -> None:
    assert {kind: source.kind for kind, source in SOURCES.items()} == {kind: kind for kind in SOURCES}
    assert set(SOURCES) == {"scenes", "photos", "manifest", "docci", "coco", "hub", "webdataset"}


def test_text_from_a_command_line_is_converted() -> None:
    assert parse_options("scenes", {"count": "7"}).model_dump() == {"count": 7, "seed": 0}


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        ("nonsense", {}, "there are scenes, photos, manifest"),
        ("scenes", {"cuont": 3}, r"cuont: Extra inputs.*Known options: count \(.*\), seed"),
        ("scenes", {"count": "many"}, "count: Input should be a valid integer"),
        ("scenes", {"count": 0}, "count: Input should be greater than or equal to 1"),
        ("photos", {"path": "x"}, "Known options: none"),
        ("manifest", {}, "path: Field required"),
    ],
)
def test_what_is_unknown_is_listed_with_what_is_known(kind: str, options: dict, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        open_source(kind, options)
