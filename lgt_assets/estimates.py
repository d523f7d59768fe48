"""Tokens, hours and dollars of requests that were only planned, from the rates that were recorded."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from lgt_assets.costs import Rates
from lgt_assets.settings import Profile


class Wanted(Protocol):
    """Requests of one role: how many would be sent (None: not known) and reused, and how that is known."""

    asset: str
    shard: str
    role: str
    basis: str
    to_send: int | None
    reused: int


@dataclass(frozen=True)
class Estimate:
    """What requests would take; None where nothing that is recorded, or no price in the profile, says so.

    ``hours`` are of the wall, if the model does nothing else meanwhile; ``dollars`` by tokens, device hours, or both.
    """

    asset: str
    shard: str
    role: str
    basis: str
    requests_to_send: int | None
    requests_reused: int
    prompt_tokens: int | None
    completion_tokens: int | None
    hours: float | None
    dollars: float | None


def estimate(wanted: Wanted, rates: Rates, profile: Profile, model_name: str) -> Estimate:
    """One role's requests, priced; ``model_name`` is the name under which completions of the role's model are stored."""
    head = (wanted.asset, wanted.shard, wanted.role, wanted.basis, wanted.to_send, wanted.reused)
    if wanted.to_send == 0:
        return Estimate(*head, 0, 0, 0.0, 0.0)
    rate = rates.rate(wanted.asset, wanted.role, model_name)
    if wanted.to_send is None or rate is None:
        return Estimate(*head, None, None, None, None)
    prompt, completion = round(wanted.to_send * rate.prompt_tokens), round(wanted.to_send * rate.completion_tokens)
    settings = profile.models[profile.role(wanted.role).model]
    device_hours = None if rate.device_seconds is None else wanted.to_send * rate.device_seconds / 3600
    hours = None if device_hours is None else device_hours / settings.devices
    prices = [
        (settings.price_per_million_prompt_tokens, prompt / 1e6),
        (settings.price_per_million_completion_tokens, completion / 1e6),
        (settings.dollars_per_device_hour, device_hours),
    ]
    due = [None if amount is None else price * amount for price, amount in prices if price is not None]
    return Estimate(*head, prompt, completion, hours, None if not due or None in due else sum(due))


def totals(estimates: Iterable[Estimate]) -> dict[str, float | None]:
    """Sums of what is known; a sum that lacks some of its parts is marked by ``<name>_incomplete``."""
    rows = list(estimates)
    result: dict = {}
    for name in ("requests_to_send", "requests_reused", "prompt_tokens", "completion_tokens", "hours", "dollars"):
        known = [value for row in rows if (value := getattr(row, name)) is not None]
        result[name] = sum(known) if known or not rows else None
        result[f"{name}_incomplete"] = len(known) < len(rows)
    return result


def estimate_rows(estimates: Sequence[Estimate]) -> list[tuple[str, ...]]:
    """Cells of a table: asset, shard, role, to send, reused, prompt and new tokens, hours, dollars, how it is known."""
    return [
        (
            row.asset, row.shard, row.role, _cell(row.requests_to_send), _cell(row.requests_reused),
            _cell(row.prompt_tokens), _cell(row.completion_tokens), _cell(row.hours), _cell(row.dollars), row.basis,
        )
        for row in estimates
    ]  # fmt: skip


def _cell(value: float | None) -> str:
    return "?" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
