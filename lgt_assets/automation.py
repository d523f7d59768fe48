"""Making by itself what is missing: a condition of every partitioned asset, and the sensor that acts on it, off by default."""

import dagster as dg

from lgt_assets.partitions import SHARDS_PER_RUN

NAME = "make_what_is_missing"


def make_missing() -> dg.AutomationCondition:
    """True of a shard that was never made, can be made now, and was not asked for since what it is made from last changed.

    What is there is never made again, whatever is edited. A shard waits for its own upstream shards and their blocking checks,
    not for other shards. One that failed, or whose run a person terminated, whoever launched it, is asked for again when
    something upstream of it was made anew, or by hand.
    """
    condition = dg.AutomationCondition
    # To Dagster a terminated run neither failed nor is in progress, so what was launched is remembered.
    launched = condition.newly_requested() | condition.in_progress().newly_true()
    asked = launched.since(condition.any_deps_updated() | condition.newly_updated()).with_label("was asked for")
    retry = condition.any_deps_updated().since_last_handled().with_label("upstream was made again")
    # Dagster reads what was made and what is being made one after the other: a shard that is made in between seems for one tick
    # neither made nor in progress, so a shard rests for a tick after it was asked for or in progress.
    busy = condition.in_progress() | condition.newly_requested()
    rested = (~busy) & ~(~busy).newly_true()
    passed = condition.all_checks_match(condition.check_passed(), blocking_only=True)
    # What is requested with its upstream comes in one run with it, where the gate asks for the checks.
    upstream_passed = condition.all_deps_match(condition.will_be_requested() | passed)
    return (
        condition.missing()
        & ~busy.since(rested).with_label("was being made a moment ago")
        & ~asked
        & (~condition.execution_failed() | retry)
        & ~condition.any_deps_missing()
        & ~condition.any_deps_in_progress()
        & upstream_passed.with_label("upstream passed its blocking checks")
    ).with_label("is missing, and can be made")


AUTOMATION = dg.AutomationConditionSensorDefinition(
    NAME,
    target=dg.AssetSelection.all(),
    default_status=dg.DefaultSensorStatus.STOPPED,
    minimum_interval_seconds=30,
    description=(
        "Switched on, makes every shard of every partitioned asset that was never made, once its upstream shards are there and "
        f"passed their blocking checks, {SHARDS_PER_RUN} shards a run. Never makes again what is there. Models cost."
    ),
)
