"""Tokens, GPU hours and dollars of requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lgt_assets.costs import Rates
from lgt_assets.planning.figures import Basis, Figure, Figures
from lgt_assets.planning.workload import Work
from lgt_assets.settings import Profile

_SEES_PICTURE = frozenset({"vlm"})
_READS = {
    "questioner": ("caption_tokens", "object_tokens"),
    "composer": ("caption_tokens", "object_tokens", "question_tokens"),
    "vlm": ("picture_tokens", "question_tokens"),
    "reasoner": ("caption_tokens", "question_tokens"),
    "verifier": ("caption_tokens", "question_tokens"),
}
_QWEN_PIXELS_A_TOKEN = 28 * 28


@dataclass(frozen=True)
class Speed:
    """Of one model on one GPU: new tokens a second, and prompt tokens a second (None: reading is not counted)."""

    new: float
    prompt: float | None
    source: str


@dataclass(frozen=True)
class Effort:
    """What one line of work takes; None where neither a measurement nor anybody says it.

    Attributes:
        prompt_tokens, new_tokens: of all its requests; most_new_tokens: if each ran to the role's max_tokens.
        gpu_hours: of GPUs, summed up; dollars: of hours and tokens together.
        tokens_basis, hours_basis: how they are known.
    """

    asset: str
    role: str
    model: str
    requests: float
    why: str
    prompt_tokens: float
    new_tokens: float
    most_new_tokens: float
    gpu_hours: float | None
    dollars: float | None
    tokens_basis: Basis
    hours_basis: Basis | None


def tokens_per_request(
    asset: str, role: str, *, model_name: str, profile: Profile, figures: Figures, rates: Rates,
    template_tokens: Mapping[str, float],
) -> tuple[Figure, Figure]:  # fmt: skip
    """Prompt and new tokens of a request: as recorded of this very model, else put together from assumptions."""
    recorded = rates.rate(asset, role, model_name)
    if recorded is not None:
        source = f"generations of {asset if (asset, role, model_name) in rates.by_role else 'other assets'} here"
        return (
            Figure(recorded.prompt_tokens, "measured", source),
            Figure(recorded.completion_tokens, "measured", source),
        )
    limit = profile.role(role).sampling.max_tokens
    new = limit * figures["completion_share"].value
    parts = {name: figures[name].value for name in _READS.get(role, ("caption_tokens",))}
    largest = getattr(profile.models[profile.role(role).model], "max_pixels", None)
    if "picture_tokens" in parts and largest:
        parts["picture_tokens"] = largest / _QWEN_PIXELS_A_TOKEN
    parts["template"] = template_tokens.get(role, 0.0)
    if role == "reasoner" and profile.binds("vlm"):  # it continues a chain that the vlm wrote
        parts["chain"] = profile.role("vlm").sampling.max_tokens * figures["completion_share"].value
    said = " + ".join(f"{name.removesuffix('_tokens')} {value:,.0f}" for name, value in parts.items())
    return (
        Figure(sum(parts.values()), "assumed", said),
        Figure(new, "assumed", f"{figures['completion_share'].value:g} of max_tokens {limit:,}"),
    )


def effort(
    work: Work, prompt: Figure, new: Figure, *, profile: Profile, model_name: str, rates: Rates, speed: Speed | None,
    dollars_per_gpu_hour: float | None,
) -> Effort:  # fmt: skip
    """Tokens, hours and dollars of one line of work.

    Args:
        work: the requests.
        prompt, new: tokens of a request.
        profile: binds the role to a model, whose prices count.
        model_name: under which completions are recorded.
        rates: what was recorded; counts where no speed is given.
        speed: given by option or profile.
        dollars_per_gpu_hour: in place of the profile's.
    """
    role = profile.role(work.role)
    settings = profile.models[role.model]
    prompt_tokens, new_tokens = work.requests * prompt.value, work.requests * new.value
    recorded = rates.rate(work.asset, work.role, model_name)
    hours: float | None = None
    basis: Basis | None = None
    if speed is not None:
        seconds = new_tokens / speed.new + (prompt_tokens / speed.prompt if speed.prompt else 0.0)
        hours, basis = seconds / 3600, "given"
    elif recorded is not None and recorded.device_seconds is not None:
        hours, basis = work.requests * recorded.device_seconds / 3600, "measured"
    price = settings.dollars_per_device_hour if dollars_per_gpu_hour is None else dollars_per_gpu_hour
    prices: Sequence[tuple[float | None, float | None]] = (
        (settings.price_per_million_prompt_tokens, prompt_tokens / 1e6),
        (settings.price_per_million_completion_tokens, new_tokens / 1e6),
        (price, hours),
    )
    due = [None if amount is None else rate * amount for rate, amount in prices if rate is not None]
    dollars = None if not due or None in due else sum(part for part in due if part is not None)
    return Effort(
        work.asset, work.role, role.model, work.requests, work.why, prompt_tokens, new_tokens,
        work.requests * role.sampling.max_tokens, hours, dollars, new.basis, basis,
    )  # fmt: skip
