"""What generating took: by asset from the funnel, and the rates that estimates are made of."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from lgt_assets.storage import DeltaStore

COUNTS = (
    "requests_sent", "requests_reused", "requests_failed", "prompt_tokens", "cached_tokens", "completion_tokens",
    "device_seconds", "seconds",
)  # fmt: skip


def costs(store: DeltaStore) -> dict[str, dict[str, float]]:
    """Sums of :data:`COUNTS` over the shards as each was last made, by asset, for assets that asked a model."""
    sums = store.scan("funnel").group_by("asset").agg(pl.col(*COUNTS).sum()).sort("asset").collect()
    return {
        row["asset"]: {name: round(row[name], 1) for name in COUNTS}
        for row in sums.iter_rows(named=True)
        if row["requests_sent"] + row["requests_reused"]
    }


def shard_costs(store: DeltaStore) -> list[dict]:
    """The same for each asset and shard: ``asset``, ``shard`` and :data:`COUNTS`."""
    asked = store.scan("funnel").filter(pl.col("requests_sent") + pl.col("requests_reused") > 0)
    return asked.select("asset", "shard", *COUNTS).sort("asset", "shard").collect().to_dicts()


DETECTOR = "detector"


@dataclass(frozen=True)
class Rate:
    """Means per request; ``device_seconds`` is None where no run sent one."""

    prompt_tokens: float
    completion_tokens: float
    device_seconds: float | None


@dataclass(frozen=True)
class Rates:
    """What was recorded so far.

    Attributes:
        by_role: means of the completions paid for, by asset, role and model.
        requests: how many there are, by asset and role.
        per_picture: requests per picture, by asset.
    """

    by_role: Mapping[tuple[str, str, str], Rate]
    requests: Mapping[tuple[str, str], int]
    per_picture: Mapping[str, float]

    def rate(self, asset: str, role: str, model: str) -> Rate | None:
        """Of this asset; else of any other that asked the same role of the same model; else None."""
        if (asset, role, model) in self.by_role:
            return self.by_role[asset, role, model]
        return next((rate for (_asset, *rest), rate in self.by_role.items() if rest == [role, model]), None)


def recorded_rates(store: DeltaStore) -> Rates:
    """Rates from ``generations``, ``funnel`` and ``shard_members``.

    A completion's device seconds are those of its asset in the funnel, shared out by tokens, prompt and new: the funnel knows
    how long the engine was busy, not with what. A detection has no tokens, but a detector makes one at a time: its device
    seconds are its own, and are taken off its asset's.
    """
    keys = ["asset", "role", "model"]
    done = (
        store.scan("generations")
        .group_by(keys)
        .agg(pl.len().alias("requests"), pl.col("prompt_tokens", "completion_tokens", "seconds").mean())
        .sort(keys)
        .collect()
    )
    funnel = store.read("funnel")
    sent = funnel.filter(pl.col("requests_sent") > 0).group_by("asset").agg(pl.col(*COUNTS).sum())
    detecting = {
        row["asset"]: row["requests"] * row["seconds"] for row in done.iter_rows(named=True) if row["role"] == DETECTOR
    }
    seconds = {
        row["asset"]: max(0.0, row["device_seconds"] - detecting.get(row["asset"], 0.0))
        / max(1, row["prompt_tokens"] + row["completion_tokens"])
        for row in sent.iter_rows(named=True)
    }
    by_role = {
        (row["asset"], row["role"], row["model"]): Rate(
            row["prompt_tokens"],
            row["completion_tokens"],
            _device_seconds(row, seconds),
        )
        for row in done.iter_rows(named=True)
    }
    requests: dict[tuple[str, str], int] = {}
    for row in done.iter_rows(named=True):
        requests[row["asset"], row["role"]] = requests.get((row["asset"], row["role"]), 0) + row["requests"]
    return Rates(by_role, requests, _per_picture(store, funnel))


def _device_seconds(row: Mapping, by_token: Mapping[str, float]) -> float | None:
    """Of one completion of the role; None where no run of its asset sent one."""
    if row["role"] == DETECTOR:
        return row["seconds"]
    if row["asset"] not in by_token:
        return None
    return by_token[row["asset"]] * (row["prompt_tokens"] + row["completion_tokens"])


def _per_picture(store: DeltaStore, funnel: pl.DataFrame) -> dict[str, float]:
    pictures = pictures_by_shard(store)
    asked = funnel.with_columns(requests=pl.col("requests_sent") + pl.col("requests_reused")).filter(
        pl.col("requests") > 0, pl.col("shard").is_in(list(pictures))
    )
    sums = asked.group_by("asset").agg(pl.col("requests").sum(), pl.col("shard").unique())
    return {
        row["asset"]: row["requests"] / sum(pictures[shard] for shard in row["shard"])
        for row in sums.iter_rows(named=True)
    }


def pictures_by_shard(store: DeltaStore) -> dict[str, int]:
    """Pictures that each shard holds, less those taken down."""
    members = store.read("shard_members").filter(~pl.col("removed"))
    return dict(members.group_by("shard").len().iter_rows())
