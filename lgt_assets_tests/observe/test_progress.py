"""Dagit hears of long shards twice a minute and of short ones never; time is handed in, nobody waits."""

import dagster as dg
import pytest

from lgt_assets.observe.progress import SECONDS_BETWEEN, Observer, observed_progress
from lgt_assets.progress import Progress, report


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def step(done: int, total: int, *, role: str = "vlm", shard: str = "made-00000", **more: int) -> Progress:
    counts = {"sent": total, "reused": 0, "tokens": 0} | more
    return Progress("distilled_cots", shard, role, done, total, **counts)


def told_at(reports: list[tuple[float, Progress]]) -> list[tuple[float, dg.AssetObservation]]:
    clock, told = Clock(), []
    observer = Observer(lambda observation: told.append((clock.seconds - 1000, observation)), clock)
    for at, progress in reports:
        clock.seconds = 1000 + at
        observer(progress)
    return told


def test_a_short_shard_is_not_told_of() -> None:
    reports = [(at / 5, step(at, 149)) for at in range(149)]
    assert told_at([*reports, (29.9, step(149, 149, finished=True))]) == []


def test_a_long_one_is_told_of_every_thirty_seconds() -> None:
    times = [at for at, _ in told_at([(at / 5, step(at, 600)) for at in range(600)])]
    assert times == [30.0, 60.0, 90.0]


def test_several_roles_of_a_shard_share_the_turns() -> None:
    reports = [(at, step(at, 100, role=("vlm", "verifier")[at // 50])) for at in range(100)]
    told = told_at(reports)
    assert [at for at, _ in told] == [30, 60, 90]
    assert [observation.metadata["progress"].value.split(":")[0] for _, observation in told] == [
        "vlm",
        "verifier",
        "verifier",
    ]


def test_the_next_shard_starts_anew() -> None:
    reports = [(at, step(at % 20, 20, shard=f"made-{at // 20:05d}")) for at in range(200)]
    assert told_at(reports) == []


def test_what_is_told() -> None:
    ((_, observation),) = told_at([(0, step(10, 130, reused=10)), (40, step(50, 130, reused=10, tokens=2000))])
    assert (observation.asset_key, observation.partition) == (dg.AssetKey("distilled_cots"), "made-00000")
    assert {name: value.value for name, value in observation.metadata.items()} == {
        "progress": "vlm: 50 of 130 requests planned so far, about 1 min left for these", "progress/done": 50,
        "progress/total": 130, "progress/reused": 10, "progress/tokens_per_second": 50.0, "progress/seconds_left": 80.0,
    }  # fmt: skip
    assert not observation.tags  # no data version


def test_what_is_counted_is_told() -> None:
    steps = [Progress("sft_model", "merged|0", "SFT", done, 60, done, 0, counted="steps") for done in (0, 20)]
    ((_, observation),) = told_at([(0, steps[0]), (40, steps[1])])
    assert observation.metadata["progress"].value == "SFT: 20 of 60 steps, about 1 min left for these"


def test_what_is_not_known_is_not_told() -> None:
    ((_, observation),) = told_at([(0, step(0, 130)), (30, step(0, 130))])
    assert set(observation.metadata) == {"progress", "progress/done", "progress/total", "progress/reused"}


def test_a_run_in_progress_can_be_seen(tmp_path) -> None:
    seen = []

    @dg.asset(partitions_def=dg.StaticPartitionsDefinition(["made-00000"]))
    def distilled_cots(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        clock = Clock()
        observer = Observer(context.log_event, clock)
        observer(step(0, 8))
        clock.seconds += SECONDS_BETWEEN
        observer(step(4, 8))
        records = context.instance.fetch_observations(dg.AssetKey("distilled_cots"), limit=5).records
        seen.extend(record.asset_observation for record in records)  # while the step is still running
        return dg.MaterializeResult()

    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        assert dg.materialize([distilled_cots], instance=instance, partition_key="made-00000").success
    (observation,) = seen
    assert observation.metadata["progress/done"].value == 4
    assert observation.partition == "made-00000"


def test_nobody_listens_after_the_step() -> None:
    with pytest.raises(RuntimeError), observed_progress(lambda _: None):
        raise RuntimeError
    from lgt_assets import progress

    assert not progress._listeners
    report(step(1, 2))
