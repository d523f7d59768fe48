"""Every shipped configuration is one that the real classes of Dagster and its libraries take; nothing is started.

A run on Kubernetes reads the file again in its pod, where there are only the variables that the file hands on.
"""

import importlib
from pathlib import Path

import pytest
import yaml
from dagster._config import process_config, resolve_to_config_type
from dagster._core.instance.ref import InstanceRef

from lgt_assets.doctor import variables_named
from lgt_assets.instance_files import configuration_of, instance_names

# What a person sets beside the secrets, and Dagster in every process of its own.
SECRETS = {"LGT_POSTGRES_URL"}
ALWAYS = {"DAGSTER_HOME"}


def problems(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, variables: set[str]) -> list[str]:
    """What the classes say of a configuration where there are only these variables."""
    (folder / "dagster.yaml").write_text(configuration_of(name))
    for variable in variables_named(yaml.safe_load(configuration_of(name))):
        monkeypatch.delenv(variable, raising=False)
    for variable in variables:
        monkeypatch.setenv(variable, f"/{variable.lower()}")
    ref, found = InstanceRef.from_dir(str(folder)), []
    for part in (ref.run_launcher_data, ref.run_coordinator_data, ref.compute_logs_data, ref.storage_data):
        kind = getattr(importlib.import_module(part.module_name), part.class_name)
        result = process_config(resolve_to_config_type(kind.config_type()), part.config_dict)
        found += [error.message for error in result.errors or ()]
    return found


@pytest.mark.parametrize("name", instance_names())
def test_its_classes_take_it(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = variables_named(yaml.safe_load(configuration_of(name)))
    assert problems(name, tmp_path, monkeypatch, variables) == []


def test_a_pod_has_all_that_it_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handed_on = set(yaml.safe_load(configuration_of("k8s"))["run_launcher"]["config"]["env_vars"])
    assert problems("k8s", tmp_path, monkeypatch, handed_on | SECRETS | ALWAYS) == []
    assert problems("k8s", tmp_path, monkeypatch, {"LGT_STATE", "LGT_PROFILE"} | SECRETS | ALWAYS) != []
