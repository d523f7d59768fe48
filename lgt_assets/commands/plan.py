"""`lgt plan`: what a run of any size would take, and how each number is known."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from lgt_assets.commands.console import notices, output, plain, print_json, table_of

if TYPE_CHECKING:
    from lgt_assets.planning.effort import Speed
    from lgt_assets.planning.run_plan import RunPlan
    from lgt_assets.settings import Profile

JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]
PROFILE = Annotated[str | None, typer.Option("--profile", help="Profile, by name or path. $LGT_PROFILE by default.")]
IMAGES = Annotated[int, typer.Option("--images", min=1, help="Pictures.")]
QUESTIONS = Annotated[int, typer.Option("--questions", min=1, help="Accepted questions in all, seed and composed.")]
COMPOSED = Annotated[
    float | None,
    typer.Option("--composed", min=0, help="Of them, composed ones a picture. Half of what the profile asks for."),
]
SAMPLES = Annotated[int | None, typer.Option("--samples", min=1, help="Chains of thought a question. The profile's.")]
CHAINS = Annotated[int | None, typer.Option("--chains", min=1, help="Chains expanded a question. The profile's.")]
EXPANSIONS = Annotated[int | None, typer.Option("--expansions", min=1, help="Continuations a chain. The profile's.")]
SHARD_SIZE = Annotated[int, typer.Option("--shard-size", min=1, help="Pictures a shard.")]
THROUGHPUT = Annotated[
    list[str] | None,
    typer.Option("--throughput", help="MODEL=NEW or MODEL=NEW:PROMPT, tokens a second of one GPU; may be repeated."),
]
GPUS = Annotated[int, typer.Option("--gpus", min=1, help="GPUs that work at once.")]
DOLLARS = Annotated[
    float | None, typer.Option("--dollars-per-gpu-hour", min=0, help="In place of the profile's prices.")
]
MEASURED = Annotated[
    bool,
    typer.Option(
        "--measured/--no-measured", help="Take rates and sizes from the state folder's tables, where they are."
    ),
]


def plan(
    profile: PROFILE = None, images: IMAGES = 15_000, questions: QUESTIONS = 1_000_000, composed: COMPOSED = None,
    samples: SAMPLES = None, chains: CHAINS = None, expansions: EXPANSIONS = None, shard_size: SHARD_SIZE = 64,
    throughput: THROUGHPUT = None, gpus: GPUS = 8, dollars_per_gpu_hour: DOLLARS = None, measured: MEASURED = True,
    as_json: JSON = False,
) -> None:  # fmt: skip
    """Requests, tokens, GPU hours, days, dollars and bytes of a run; by default the paper's. Nothing is sent or written."""
    from lgt_assets.costs import Rates, recorded_rates
    from lgt_assets.planning.figures import ASSUMED
    from lgt_assets.planning.measured import measured_bytes, measured_yields
    from lgt_assets.planning.run_plan import plan_run
    from lgt_assets.planning.size import wished
    from lgt_assets.prompts.templates import prompt_set, template_tokens
    from lgt_assets.settings import load_profile
    from lgt_assets.state import tables_folder
    from lgt_assets.storage import DeltaStore

    chosen = load_profile(profile)
    store = DeltaStore(tables_folder())
    rates, row_bytes, figures = Rates({}, {}, {}), {}, dict(ASSUMED)
    names = _recorded_names(chosen)
    if measured and store.exists("generations"):
        rates = recorded_rates(store)
        row_bytes, figures = measured_bytes(store), figures | measured_yields(store, rates, names)
    size = wished(
        chosen, images=images, questions=questions, composed_per_image=composed, samples=samples, chains=chains,
        expansions=expansions, shard_size=shard_size,
    )  # fmt: skip
    made = plan_run(
        size, chosen, figures, rates=rates, model_names=names, row_bytes=row_bytes, gpus=gpus,
        template_tokens=template_tokens(prompt_set(chosen.prompts), chosen.roles), dollars_per_gpu_hour=dollars_per_gpu_hour,
        speeds=_speeds(chosen, throughput or []),
    )  # fmt: skip
    if as_json:
        print_json({"profile": chosen.name} | made.as_dict())
    else:
        _print(chosen.name, made)


def _recorded_names(profile: "Profile") -> dict[str, str]:
    """By role the name under which completions of its model are stored."""
    from lgt_assets.engines.model_identity import local_folder
    from lgt_assets.engines.settings import EMBEDDED_MODEL

    models = {role: profile.models[settings.model].model for role, settings in profile.roles.items()}
    folders = {model: local_folder(model) for model in models.values() if model != EMBEDDED_MODEL}
    return {role: getattr(folders.get(model), "name", model) for role, model in models.items()}


def _speeds(profile: "Profile", throughput: Sequence[str]) -> "dict[str, Speed]":
    """Speeds by model: of the profile, and over it those of the options.

    Raises:
        SettingsError: an option names no model of the profile, or no positive numbers.
    """
    from lgt_assets.errors import SettingsError
    from lgt_assets.planning.effort import Speed

    speeds = {
        name: Speed(settings.new_tokens_per_device_second, settings.prompt_tokens_per_device_second, "the profile")
        for name, settings in profile.models.items()
        if settings.new_tokens_per_device_second is not None
    }
    for option in throughput:
        name, _equals, numbers = option.partition("=")
        new, colon, prompt = numbers.partition(":")
        try:
            speed = Speed(float(new), float(prompt) if colon else None, f"--throughput {option}")
        except ValueError:
            speed = Speed(0.0, None, "")
        if name not in profile.models or not 0 < speed.new < 1e9 or (colon and not 0 < (speed.prompt or 0) < 1e9):
            raise SettingsError(
                f"--throughput {option}: write MODEL=NEW or MODEL=NEW:PROMPT, e.g. {next(iter(profile.models))}=1500:15000; "
                f"models of profile {profile.name!r}: {', '.join(profile.models)}"
            )
        speeds[name] = speed
    return speeds


def _print(profile: str, made: "RunPlan") -> None:
    from lgt_assets.planning.room import PLANNED_SHARDS

    size, console = made.size, output()
    console.print(
        f"profile {profile}: {size.images:,.0f} pictures, {size.questions:,.0f} questions "
        f"({size.composed_questions:,.0f} composed), {size.samples:g} samples each, "
        f"{size.chains_per_question:g} x {size.expansions:g} expansions each\n"
    )
    numbers = dict.fromkeys(("requests", "prompt tokens", "new tokens", "GPU hours", "dollars"), "right")
    words = dict.fromkeys(("tokens, hours", "why"), "left")
    headings = dict.fromkeys(("asset", "role", "model"), "left") | numbers | words
    rows = [
        (one.asset, one.role, one.model, _short(one.requests), _short(one.prompt_tokens), _short(one.new_tokens),
         _short(one.gpu_hours), _short(one.dollars), f"{one.tokens_basis}, {one.hours_basis or 'not known'}", one.why)
        for one in made.efforts
    ]  # fmt: skip
    totals = [_short(made.total(name)) for name in ("requests", "prompt_tokens", "new_tokens", "gpu_hours", "dollars")]
    console.print(table_of(headings, [*rows, ("all", "", "", *totals, "", "")]))
    console.print(f"\nif every completion ran to its limit: {_short(made.total('most_new_tokens'))} new tokens")
    days = made.wall_days
    console.print(f"wall days on {made.gpus} GPUs, always busy: {'not known' if days is None else f'{days:,.1f}'}")
    if days is None:
        notices().print(
            plain(
                "hours are not known: give --throughput MODEL=NEW:PROMPT, or new_tokens_per_device_second in the profile"
            )
        )
    console.print()
    cells = [(one.table, _short(one.rows), f"{one.bytes_per_row.value:,.0f}", _bytes(one.bytes), one.bytes_per_row.basis)
             for one in made.tables]  # fmt: skip
    console.print(
        table_of({"table": "left", "rows": "right", "bytes a row": "right", "size": "right", "known": "left"}, cells)
    )
    console.print(
        f"\nshards: {math.ceil(size.shards):,} of {size.shard_size:g} pictures"
        + (f" (more than {PLANNED_SHARDS:,}: raise --shard-size)" if size.shards > PLANNED_SHARDS else "")
    )
    console.print(
        f"storage: tables {_bytes(made.table_bytes)} in one version, response store {_bytes(made.response_bytes)}, "
        f"event log {_bytes(made.event_log_bytes)}; pictures come on top\n"
    )
    figures = [(name, f"{one.value:,.4g}", one.basis, one.source) for name, one in made.figures.items()]
    console.print(table_of({"figure": "left", "value": "right", "known": "left", "source": "left"}, figures))


def _short(value: float | None) -> str:
    """With three digits: none of these is known better."""
    if value is None:
        return "?"
    for unit, name in ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e4, " k")):
        if value >= unit:
            return f"{value / (1e3 if name == ' k' else unit):,.3g}{name}"
    return f"{value:,.0f}" if value >= 100 else f"{value:,.3g}"


def _bytes(size: float) -> str:
    return f"{size / 1e9:,.3g} GB" if size >= 1e9 else f"{size / 1e6:,.3g} MB"
