"""Imports point one way: what lies below knows nothing of what lies above."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import lgt_assets

ROOT = Path(lgt_assets.__file__).parent
DAGSTER_MODULES = {
    "definitions", "partitions", "resources", "checks", "observe", "runs", "run_fence", "run_placement", "instance",
    "dead_runs", "automation", "sensors",
}  # fmt: skip
# For each part, what of this package it may import, besides itself; a folder stands for everything in it.
ALLOWED = {
    "errors": set(),
    "identity": {"errors"},
    "state": {"errors"},
    "object_store": {"errors", "state"},
    "shared_pictures": {"errors", "object_store", "state"},
    "references": set(),
    "audit_vocabulary": set(),
    "progress": set(),
    "row_model": set(),
    "asset_models": {"row_model"},
    "record_models": {"audit_vocabulary", "row_model"},
    "release_models": {"row_model"},
    "schemas": {"asset_models", "record_models", "release_models", "row_model"},
    "validation": {"errors", "identity", "references", "schemas"},
    "table_locks": {"errors"},
    "commit_retries": {"errors"},
    "table_creation": {"commit_retries", "errors", "schemas", "table_locks"},
    "table_handles": {"table_locks"},
    "table_slices": {"delta_files", "errors", "schemas"},
    "storage": {
        "commit_retries",
        "errors",
        "identity",
        "schemas",
        "table_creation",
        "table_handles",
        "table_locks",
        "table_slices",
    },
    "leftover_files": {"errors"},
    "pinned_versions": {"errors", "storage"},
    "table_stats": {"leftover_files", "pinned_versions", "schemas", "storage", "table_locks"},
    "table_maintenance": {"errors", "leftover_files", "pinned_versions", "storage", "table_locks"},
    "spool": {"errors"},
    "engines": {"errors", "identity", "object_store", "shared_pictures", "spool", "state"},
    "prompts": {"errors", "identity", "engines"},
    "settings_base": set(),
    "source_settings": {"settings_base"},
    "post_training_settings": {"settings_base"},
    "settings": {
        "errors",
        "identity",
        "engines",
        "post_training_settings",
        "settings_base",
        "source_settings",
        "state",
    },
    "embedded": {"errors", "identity", "engines", "prompts", "settings", "synthesis"},
    "sources": {
        "embedded",
        "errors",
        "identity",
        "object_store",
        "schemas",
        "settings",
        "shared_pictures",
        "synthesis",
        "validation",
    },
    "synthesis": {"errors", "identity", "spool", "row_model", "schemas", "engines", "prompts", "settings"},
    "quality": {"errors", "identity", "release", "schemas", "settings", "storage", "synthesis", "validation"},
    "markdown": set(),
    "charts": {"pictures"},
    "release": {
        "charts",
        "delta_files",
        "engines",
        "errors",
        "identity",
        "leftover_files",
        "markdown",
        "prompts",
        "row_model",
        "schemas",
        "settings",
        "sources",
        "synthesis",
    },
    "training": {
        "charts",
        "embedded",
        "engines",
        "errors",
        "identity",
        "markdown",
        "post_training_settings",
        "release",
        "row_model",
        "schemas",
        "sources",
        "storage",
        "synthesis",
    },
    "pictures": {"engines", "errors"},
    "takedown": {
        "leftover_files",
        "delta_files",
        "engines",
        "errors",
        "identity",
        "release",
        "schemas",
        "sources",
        "storage",
        "table_locks",
    },
    "audit": {
        "audit_vocabulary",
        "errors",
        "identity",
        "lineage",
        "pages",
        "pictures",
        "row_model",
        "schemas",
        "storage",
        "synthesis",
        "validation",
    },
    "costs": {"storage"},
    "report": {"costs", "audit", "storage"},
    "method_report": {"storage", "synthesis"},
    "method_tables": {"errors", "sources"},
    "pages": set(),
    "delta_files": {"errors"},
    "lineage": {"delta_files", "errors", "identity", "pages", "pictures", "references"},
    "differences": {"delta_files", "errors", "identity", "lineage"},
    "doctor": {"errors", "engines", "instance_files", "prompts", "settings", "object_store", "state"},
    "instance_files": {"errors"},
    "serving": {"errors", "engines", "settings"},
    "planning": {"costs", "errors", "settings", "storage", "table_stats"},
}
# The scenes' grammar, free of torch, says which compositions the embedded model knows.
EXCEPTIONS = {("synthesis", "lgt_assets.embedded.grammar")}


def part_of(module: str) -> str:
    """``synthesis`` for ``lgt_assets.synthesis.parsing``; ``errors`` for ``lgt_assets.errors``."""
    return module.split(".")[1] if "." in module else ""


def imports(path: Path) -> Iterator[str]:
    """Modules that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


MODULES = [(path, path.relative_to(ROOT).with_suffix("").parts[0]) for path in sorted(ROOT.rglob("*.py"))]


@pytest.mark.parametrize("part", sorted(ALLOWED))
def test_a_part_imports_only_what_lies_below_it(part: str) -> None:
    files = [path for path, own in MODULES if own == part]
    assert files, f"no module {part}: take it out of ALLOWED"
    wrong = {
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files
        for module in imports(path)
        if module.startswith("lgt_assets.")
        and part_of(module) not in ALLOWED[part] | {part}
        and (part, module) not in EXCEPTIONS
    }
    assert not wrong


def test_only_the_orchestrating_modules_know_dagster() -> None:
    wrong = {
        str(path.relative_to(ROOT))
        for path, part in MODULES
        if part not in DAGSTER_MODULES | {"assets"}
        for module in imports(path)
        if module.split(".")[0] == "dagster"
    }
    assert not wrong


def test_no_module_is_longer_than_a_person_reads() -> None:
    assert not {str(path.relative_to(ROOT)) for path, _ in MODULES if len(path.read_text().splitlines()) > 300}
