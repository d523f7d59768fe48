"""The graph as Dagit shows it, against a picture of it: a change here is meant, or it is a mistake.

To accept a change: LGT_WRITE_GOLDEN=1 make test, and read the difference before it is committed.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import yaml
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetNode

from lgt_assets.definitions import defs
from lgt_assets.observe.columns import LINEAGE, SCHEMA
from lgt_assets.report import REPORTED_TABLES
from lgt_assets.runs import chosen_assets

GOLDEN = Path(__file__).parent / "golden" / "definitions.json"
ROOT = Path(__file__).parent.parent
GROUPS = ["sources", "questions", "reasoning", "datasets", "release", "post_training"]


def plain(node: BaseAssetNode, name: str) -> dg.TableSchema | dg.TableColumnLineage:
    """A value of the definition's metadata, whether Dagster wrapped it or not."""
    value = node.metadata[name]
    return value.value if isinstance(value, dg.MetadataValue) else value


def columns(node: BaseAssetNode) -> dict[str, str]:
    """Type of each column, and by upstream table the columns it is made from."""
    dependencies, found = plain(node, LINEAGE).deps_by_column, {}
    for column in plain(node, SCHEMA).columns:
        by_table: dict[str, list[str]] = {}
        for dependency in dependencies[column.name]:
            by_table.setdefault(dependency.asset_key.to_user_string(), []).append(dependency.column_name)
        origins = "; ".join(f"{table}: {' '.join(names)}" for table, names in by_table.items())
        found[column.name] = f"{column.type.partition('(')[0]} <- {origins or 'own'}"
    return found


def partitions(node: BaseAssetNode) -> str | None:
    """The dimension's name, several joined."""
    definition = node.partitions_def
    if isinstance(definition, dg.MultiPartitionsDefinition):
        return " x ".join(definition.partition_dimension_names)
    return definition.name if definition else None


def graph() -> dict:
    """What matters of every asset: who depends on whom, where it stands, how it is partitioned and run, what is checked."""
    nodes = defs.resolve_asset_graph()
    specs = {key: nodes.get(key) for key in nodes.toposorted_asset_keys}
    checks: dict[str, list[str]] = {}
    for check in nodes.asset_check_keys:
        checks.setdefault(check.asset_key.to_user_string(), []).append(check.name)
    return {
        key.to_user_string(): {
            "deps": sorted(parent.to_user_string() for parent in node.parent_keys),
            "group": node.group_name,
            "partitions": partitions(node),
            "partitions_per_run": node.backfill_policy.max_partitions_per_run if node.backfill_policy else None,
            "pools": sorted(node.pools or ()),
            "kinds": sorted(node.kinds),
            "checks": sorted(checks.get(key.to_user_string(), [])),
            "description": (node.description or "").splitlines()[0],
            "owners": sorted(node.owners),
            "tags": {name: value for name, value in node.tags.items() if not name.startswith("dagster/kind/")},
            "has_code_version": bool(node.code_version),
            "columns": columns(node) if SCHEMA in node.metadata else {},
        }
        for key, node in specs.items()
    }


def test_the_graph_is_the_one_in_the_golden_file() -> None:
    found = json.dumps(graph(), indent=1, sort_keys=True) + "\n"
    if os.environ.get("LGT_WRITE_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(found)
    assert found == GOLDEN.read_text()


def test_every_table_is_reported() -> None:
    assert {name for name, node in graph().items() if node["group"] != "post_training"} == set(REPORTED_TABLES)


def test_post_training_has_a_job_of_its_own_which_other_runs_leave_out() -> None:
    job = defs.resolve_job_def("post_training")
    names = {key.to_user_string() for key in job.asset_layer.selected_asset_keys}
    assert names == {name for name, node in graph().items() if node["group"] == "post_training"}
    assert not names & set(chosen_assets(None))


def test_assets_explain_themselves() -> None:
    for key, node in (
        (key, defs.resolve_asset_graph().get(key)) for key in defs.resolve_asset_graph().get_all_asset_keys()
    ):
        assert node.description, key
        assert node.code_version, key
        assert node.owners, key
        if node.group_name != "post_training":  # folders of weights, not tables
            assert all(column.description for column in plain(node, SCHEMA).columns), key


def test_groups_follow_one_another_as_in_the_architecture() -> None:
    """No asset reads one of a later group, so that the graph reads in one direction."""
    nodes = defs.resolve_asset_graph()
    for key in nodes.get_all_asset_keys():
        for parent in nodes.get(key).parent_keys:
            assert GROUPS.index(nodes.get(parent).group_name) <= GROUPS.index(nodes.get(key).group_name), (parent, key)
    assert {nodes.get(key).group_name for key in nodes.get_all_asset_keys()} == set(GROUPS)


def test_the_graph_is_loaded_without_what_makes_rows() -> None:
    """Every run, every reload and every `lgt` command that needs the graph would pay for it."""
    heavy = ["torch", "transformers", "matplotlib", "scipy", "aiohttp", "rapidfuzz", "lgt_assets.synthesis.tags"]
    statement = f"import sys, lgt_assets.definitions; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", statement], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_definitions_load_from_every_place_that_points_at_them() -> None:
    dg.Definitions.validate_loadable(defs)
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text())
    assert workspace == {"load_from": [{"python_module": "lgt_assets.definitions"}]}
