"""The picture of the graph in the documentation is the graph of the definitions."""

from lgt_assets.release.configs import RELEASE_TABLES
from lgt_assets_tests.graph_picture import FILE, direct, draw, reads


def test_the_picture_is_drawn_from_these_definitions() -> None:
    assert FILE.read_text(encoding="utf-8") == draw(), "`make screenshots` draws it anew: look, commit"


def test_all_that_is_read_is_an_edge() -> None:
    _, edges = reads()
    assert edges["release"] == set(RELEASE_TABLES)
    assert not edges["images"]


def test_an_edge_is_strong_unless_a_longer_way_leads_there() -> None:
    edges = {"a": set(), "b": {"a"}, "c": {"a", "b"}, "d": {"a", "c"}}
    assert direct(edges) == {"a": set(), "b": {"a"}, "c": {"b"}, "d": {"c"}}
