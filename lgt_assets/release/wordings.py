"""Questions of nearly one wording, over all shards: MinHash and locality-sensitive hashing, then the exact Jaccard index.

MinHash after Broder (1997), banded as in Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3: 16 bands of 4
values find a pair of similarity 0.8 with probability 0.9998 and one of 0.7 with 0.99. What they find is checked against the exact
index, so that nothing is taken for near that is not.

Memory: 128 bytes for each distinct text (its bands) beside the texts; distinct texts alone are hashed.
"""

from collections.abc import Iterator, Sequence

from lgt_assets.release.overlap import words_of

BANDS, BAND_ROWS = 16, 4
_BATCH = 4096
_REPRESENTATIVES = 8  # of one bucket; keeps a bucket of thousands linear


def shingles(text: str) -> set[str]:
    """The text's words and pairs of neighbouring words, each line by itself."""
    found: set[str] = set()
    for line in text.splitlines():
        words = words_of(line)
        found.update(words)
        found.update(f"{first} {second}" for first, second in zip(words, words[1:], strict=False))
    return found


def jaccard(first: set[str], second: set[str]) -> float:
    """Size of the intersection by that of the union; two empty sets are equal."""
    union = len(first | second)
    return len(first & second) / union if union else 1.0


def wording_clusters(texts: Sequence[str], similarity: float) -> list[int]:
    """For each text the index of the first one of its wording: all texts that are near to each other, also by way of others.

    Which texts share a cluster may depend on their order only where a bucket holds more than eight wordings; give them in an
    order that no shard decides.

    Args:
        texts: one a question; lines are compared by themselves.
        similarity: least Jaccard index of near texts, in (0, 1].
    """
    first_of: dict[str, int] = {}
    for index, text in enumerate(texts):
        first_of.setdefault(text, index)
    distinct = list(first_of)
    roots = list(range(len(distinct)))

    def root(node: int) -> int:
        while roots[node] != node:
            roots[node] = roots[roots[node]]
            node = roots[node]
        return node

    for bucket in _buckets(distinct):
        representatives: list[tuple[int, set[str]]] = []
        for node in bucket:
            own = shingles(distinct[node])
            near = [
                other
                for other, held in representatives
                if root(other) == root(node) or jaccard(own, held) >= similarity
            ]
            for other in near:
                low, high = sorted((root(node), root(other)))
                roots[high] = low
            if not near and len(representatives) < _REPRESENTATIVES:
                representatives.append((node, own))
    # Distinct texts stand in order of first occurrence, so that the lowest node is the earliest text.
    earliest = {text: first_of[distinct[root(node)]] for node, text in enumerate(distinct)}
    return [earliest[text] for text in texts]


def _buckets(texts: list[str]) -> Iterator[list[int]]:
    """Indices of texts that share a band, band by band, ascending within a bucket."""
    import numpy as np

    bands = _bands(texts)
    for band in range(BANDS):
        order = np.argsort(bands[:, band], kind="stable")
        keys = bands[order, band]
        edges = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1], [True]))) if len(keys) else []
        for start, end in zip(edges[:-1], edges[1:], strict=True):
            if end - start > 1:
                yield order[start:end].tolist()


def _bands(texts: list[str]) -> "np.ndarray":  # noqa: F821 - numpy is loaded where it is used
    """(texts, BANDS) of 64-bit hashes, each of BAND_ROWS values of a text's MinHash."""
    import numpy as np
    from datasketch import MinHash

    bands = np.empty((len(texts), BANDS), dtype=np.uint64)
    odd = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], dtype=np.uint64)
    for start in range(0, len(texts), _BATCH):
        sets = (
            [shingle.encode("utf-8", "replace") for shingle in shingles(text)] or [b""]
            for text in texts[start : start + _BATCH]
        )
        hashes = MinHash.generator(sets, num_perm=BANDS * BAND_ROWS, seed=1)
        values = np.array([minhash.hashvalues for minhash in hashes], dtype=np.uint64).reshape(-1, BANDS, BAND_ROWS)
        bands[start : start + _BATCH] = (values * odd).sum(axis=2, dtype=np.uint64)
    return bands
