"""Near-duplicate wordings: found by hashing, checked exactly."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from lgt_assets.release.wordings import jaccard, shingles, wording_clusters

TEXTS = st.lists(st.lists(st.sampled_from("abcdefghijkl"), max_size=10).map(" ".join), max_size=12)


@given(TEXTS)
@settings(max_examples=40, deadline=None)
def test_only_what_is_near_shares_a_cluster_and_equal_texts_do(texts):
    clusters = wording_clusters(texts, 0.8)
    for index, cluster in enumerate(clusters):
        assert cluster <= index and clusters[cluster] == cluster
        assert texts.index(texts[index]) >= cluster
        if cluster != index:
            others = [other for other, own in enumerate(clusters) if own == cluster and other != index]
            assert any(jaccard(shingles(texts[index]), shingles(texts[other])) >= 0.8 for other in others)


def test_near_texts_among_many_are_found():
    generator = random.Random(0)
    words = [f"word{number}" for number in range(300)]
    texts = [" ".join(generator.sample(words, 24)) for _ in range(1500)]
    near = []
    for text in texts[:300]:
        other = text.split()
        other[generator.choice((0, -1))] = "other"
        near.append(" ".join(other))
    assert all(jaccard(shingles(text), shingles(other)) >= 0.8 for text, other in zip(texts, near, strict=False))
    clusters = wording_clusters(texts + near, 0.8)
    assert clusters[:1500] == list(range(1500))
    assert sum(clusters[1500 + index] == index for index in range(300)) >= 297


def test_lines_are_compared_by_themselves():
    assert shingles("red cup\nblue") == {"red", "cup", "red cup", "blue"}
    assert jaccard(set(), set()) == 1.0
