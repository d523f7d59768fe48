"""How long chosen and rejected turns are, by kind of pair: whether length alone would tell them apart."""

import polars as pl

from lgt_assets.row_model import PAIR_KINDS


def pair_lengths(pairs: pl.LazyFrame) -> list[dict]:
    """One dict per kind that has pairs, in the order of the kinds.

    Args:
        pairs: rows of ``preference_pairs``.

    Returns:
        ``kind``, ``pairs``, ``chosen_characters`` and ``rejected_characters`` (means), ``length_ratio`` (median of chosen :
        rejected), ``chosen_longer`` (share of the pairs).
    """
    chosen, rejected = pl.col("chosen_characters"), pl.col("rejected_characters")
    statistics = pairs.group_by("kind").agg(
        pl.len().alias("pairs"), chosen.mean(), rejected.mean(), (chosen / rejected).median().alias("length_ratio"),
        (chosen > rejected).mean().alias("chosen_longer"),
    )  # fmt: skip
    return sorted(statistics.collect().to_dicts(), key=lambda row: PAIR_KINDS.index(row["kind"]))
