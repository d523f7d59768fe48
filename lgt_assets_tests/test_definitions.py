"""The graph as Dagit shows it, against a picture of it: a change here is meant, or it is a mistake.

To accept a change: LGT_WRITE_GOLDEN=1 make test, and read the difference before it is committed.
"""

import json
import os
from pathlib import Path

import dagster as dg
import yaml

from lgt_assets.definitions import defs
from lgt_assets.report import REPORTED_TABLES

GOLDEN = Path(__file__).parent / "golden" / "definitions.json"
ROOT = Path(__file__).parent.parent


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
            "partitions": node.partitions_def.name if node.partitions_def else None,
            "partitions_per_run": node.backfill_policy.max_partitions_per_run if node.backfill_policy else None,
            "pools": sorted(node.pools or ()),
            "kinds": sorted(node.kinds),
            "checks": sorted(checks.get(key.to_user_string(), [])),
        }
        for key, node in specs.items()
    }


def test_the_graph_is_the_one_in_the_golden_file() -> None:
    found = json.dumps(graph(), indent=1, sort_keys=True) + "\n"
    if os.environ.get("LGT_WRITE_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(found)
    assert found == GOLDEN.read_text()


def test_every_asset_is_reported() -> None:
    assert set(graph()) == set(REPORTED_TABLES)


def test_assets_explain_themselves() -> None:
    for key, node in (
        (key, defs.resolve_asset_graph().get(key)) for key in defs.resolve_asset_graph().get_all_asset_keys()
    ):
        assert node.description, key
        assert node.code_version, key
        schema = node.metadata["dagster/column_schema"]
        schema = schema.value if isinstance(schema, dg.TableSchemaMetadataValue) else schema
        assert all(column.description for column in schema.columns), key


def test_definitions_load_from_every_place_that_points_at_them() -> None:
    dg.Definitions.validate_loadable(defs)
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text())
    assert workspace == {"load_from": [{"python_module": "lgt_assets.definitions"}]}
