"""A run's plan: all its lines, sums and the figures that they rest on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from lgt_assets.costs import Rates
from lgt_assets.planning.effort import Effort, Speed, effort, tokens_per_request
from lgt_assets.planning.figures import Figure, Figures
from lgt_assets.planning.room import TableNeed, event_log_bytes, tables_needed
from lgt_assets.planning.size import Size
from lgt_assets.planning.workload import workload
from lgt_assets.settings import Profile


@dataclass(frozen=True)
class RunPlan:
    """What a run would take.

    Attributes:
        size: what is wished.
        efforts: by asset and role.
        tables: rows and bytes.
        event_log_bytes: of Dagster's instance.
        gpus: that work at once, for wall days.
        figures: all that it rests on, by name.
    """

    size: Size
    efforts: list[Effort]
    tables: list[TableNeed]
    event_log_bytes: float
    gpus: int
    figures: dict[str, Figure]

    def total(self, name: str) -> float | None:
        """The sum of a field of :class:`Effort` over all lines; None if any of them is not known."""
        values = [getattr(one, name) for one in self.efforts]
        return None if None in values else sum(values)

    @property
    def wall_days(self) -> float | None:
        """Days, if all GPUs are busy all the time."""
        hours = self.total("gpu_hours")
        return None if hours is None else hours / self.gpus / 24

    @property
    def table_bytes(self) -> float:
        """Of all tables, one version."""
        return sum(table.bytes for table in self.tables)

    @property
    def response_bytes(self) -> float:
        """Of the response store, which holds each completion once more (1.04x of ``generations`` after a small demo)."""
        return sum(table.bytes for table in self.tables if table.table == "generations")

    def yields(self) -> dict[str, float]:
        """Rows of what is trained on."""
        return {table.table: table.rows for table in self.tables if table.table in ("sft_mix", "preference_pairs")}

    def as_dict(self) -> dict:
        """For `--json`."""
        names = ("requests", "prompt_tokens", "new_tokens", "most_new_tokens", "gpu_hours", "dollars")
        return {
            "size": asdict(self.size) | {"questions": self.size.questions, "shards": self.size.shards},
            "totals": {name: self.total(name) for name in names}
            | {"wall_days": self.wall_days, "gpus": self.gpus, "table_bytes": self.table_bytes,
               "response_bytes": self.response_bytes, "event_log_bytes": self.event_log_bytes},
            "work": [asdict(one) for one in self.efforts],
            "tables": [asdict(one) | {"bytes": one.bytes} for one in self.tables],
            "figures": {name: asdict(figure) for name, figure in self.figures.items()},
        }  # fmt: skip


def plan_run(
    size: Size, profile: Profile, figures: Figures, *, rates: Rates, model_names: Mapping[str, str],
    template_tokens: Mapping[str, float], row_bytes: Mapping[str, Figure], speeds: Mapping[str, Speed], gpus: int,
    dollars_per_gpu_hour: float | None = None,
) -> RunPlan:  # fmt: skip
    """Plan a run; every amount in it is in proportion to the pictures of ``size``.

    Args:
        size: what is wished.
        profile: binds roles to models, and says how often each is asked.
        figures: by name, see :data:`lgt_assets.planning.figures.ASSUMED`.
        rates: what a state folder recorded; may be empty.
        model_names: by role, under which it recorded.
        template_tokens: of each role's prompt before anything is put in.
        row_bytes: by table, where measured.
        speeds: by the profile's model, where given; others are taken from ``rates``.
        gpus: that work at once.
        dollars_per_gpu_hour: in place of the profile's.
    """
    efforts, used = [], dict(figures)
    for work in workload(size, profile, figures):
        name = model_names.get(work.role, "")
        prompt, new = tokens_per_request(
            work.asset, work.role, model_name=name, profile=profile, figures=figures, rates=rates, template_tokens=template_tokens
        )  # fmt: skip
        used |= {f"{work.asset}.{work.role}.prompt_tokens": prompt, f"{work.asset}.{work.role}.new_tokens": new}
        speed = speeds.get(profile.role(work.role).model)
        line = effort(
            work, prompt, new, profile=profile, model_name=name, rates=rates, speed=speed,
            dollars_per_gpu_hour=dollars_per_gpu_hour,
        )  # fmt: skip
        recorded = rates.rate(work.asset, work.role, name)
        if line.hours_basis == "measured" and recorded is not None and recorded.device_seconds is not None:
            used[f"{work.asset}.{work.role}.gpu_seconds"] = Figure(
                recorded.device_seconds, "measured", "a request, here"
            )
        efforts.append(line)
    for model, speed in speeds.items():
        used[f"{model}.new_tokens_per_gpu_second"] = Figure(speed.new, "given", speed.source)
        if speed.prompt:
            used[f"{model}.prompt_tokens_per_gpu_second"] = Figure(speed.prompt, "given", speed.source)
    tables = tables_needed(size, efforts, figures, row_bytes)
    used |= {f"{table.table}.bytes_per_row": table.bytes_per_row for table in tables}
    return RunPlan(size, efforts, tables, event_log_bytes(size, figures), gpus, used)
