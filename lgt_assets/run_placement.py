"""Where a cluster places a run: tags that its launcher reads, given to every run with a step in a pool.

Every asset that asks a model holds the pool `gpu`. Backfills and runs of Dagit carry no tags of their own, and a launcher knows
nothing of pools; so the tags are added when a run is submitted.
"""

import json
from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster import QueuedRunCoordinator
from dagster._config import Field, Permissive
from dagster._config.config_schema import UserConfigSchema
from dagster._core.run_coordinator import SubmitRunContext
from dagster._serdes import ConfigurableClassData


class PlacingRunCoordinator(QueuedRunCoordinator):
    """Dagster's run queue, with ``tags_of_pools`` in its configuration.

    Example (dagster.yaml)::

        run_coordinator:
          module: lgt_assets.run_placement
          class: PlacingRunCoordinator
          config:
            tags_of_pools:
              gpu: {"dagster-ray/config": {num_gpus: 1}}

    Tags that a run has already are kept: whoever launches a run can place it himself.
    """

    def __init__(self, tags_of_pools: Mapping[str, Mapping[str, Any]] | None = None, **queue: Any) -> None:
        super().__init__(**queue)
        self.tags_of_pools = {pool: dict(tags) for pool, tags in (tags_of_pools or {}).items()}

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """That of the queue, and tags by pool; a tag is a text, or what is to be written as JSON."""
        return {**super().config_type(), "tags_of_pools": Field(Permissive(), is_required=False)}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]
    ) -> "PlacingRunCoordinator":
        """As Dagster makes it of dagster.yaml."""
        return cls(inst_data=inst_data, **config_value)

    def submit_run(self, context: SubmitRunContext) -> dg.DagsterRun:
        """Tag the run, and put it into the queue."""
        run = context.dagster_run
        tags = {name: value for name, value in self.tags_for(run).items() if name not in run.tags}
        if tags:
            self._instance.add_run_tags(run.run_id, tags)
        return super().submit_run(context)

    def tags_for(self, run: dg.DagsterRun) -> dict[str, str]:
        """The tags of the pools that the run's steps hold."""
        pools = (run.run_op_concurrency.all_pools if run.run_op_concurrency else None) or ()
        chosen = {name: value for pool in sorted(pools) for name, value in self.tags_of_pools.get(pool, {}).items()}
        return {name: value if isinstance(value, str) else json.dumps(value) for name, value in chosen.items()}
