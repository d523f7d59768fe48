"""The shipped configurations of the instance, and which of them is in force."""

from pathlib import Path

import pytest
import yaml

from lgt_assets.doctor import instance_finding
from lgt_assets.errors import SettingsError
from lgt_assets.instance import prepare_environment
from lgt_assets.instance_files import configuration_of, instance_in_force, instance_names

TIERS = ["laptop", "celery", "cluster-ray", "k8s", "one-gpu"]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LGT_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.delenv("LGT_INSTANCE", raising=False)
    return tmp_path / "state"


def test_there_is_one_for_every_tier_with_a_page() -> None:
    assert instance_names() == TIERS
    folder = Path(__file__).parents[1] / "deploy"
    assert {path.parent.name for path in folder.glob("*/README.md")} == set(TIERS)


def test_that_of_the_checkout_is_that_of_a_laptop() -> None:
    assert (Path(__file__).parents[1] / "dagster.yaml").read_text() == configuration_of("laptop")


@pytest.mark.parametrize("name", TIERS)
def test_nobody_is_told_of_it_and_no_secret_stands_in_it(name: str) -> None:
    settings = yaml.safe_load(configuration_of(name))
    assert settings["telemetry"] == {"enabled": False} and settings["run_retries"] == {"enabled": False}
    storage = settings["storage"]
    url = storage.get("postgres", {}).get("postgres_url")
    assert storage == {"sqlite": {"base_dir": {"env": "DAGSTER_HOME"}}} or url == {"env": "LGT_POSTGRES_URL"}
    assert "://" not in configuration_of(name)


def test_a_chosen_one_is_put_and_stays(state: Path) -> None:
    home = prepare_environment("cluster-ray")
    assert instance_in_force(home) == "cluster-ray"
    prepare_environment()
    assert instance_in_force(home) == "cluster-ray"


def test_the_variable_chooses_too(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LGT_INSTANCE", "celery")
    assert instance_in_force(prepare_environment()) == "celery"
    assert instance_in_force(prepare_environment("one-gpu")) == "one-gpu"


def test_the_variable_does_not_undo_what_somebody_edited(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LGT_INSTANCE", "celery")
    home = prepare_environment()
    edited = configuration_of("celery").replace("default_limit: 8", "default_limit: 16")
    (home / "dagster.yaml").write_text(edited)
    assert (prepare_environment() / "dagster.yaml").read_text() == edited
    assert instance_finding(home).found.startswith("edited: ")


def test_an_edited_one_is_not_overwritten(state: Path) -> None:
    home = prepare_environment()
    edited = configuration_of("laptop") + "# mine\n"
    (home / "dagster.yaml").write_text(edited)
    with pytest.raises(SettingsError, match="move it away"):
        prepare_environment("cluster-ray")
    assert (home / "dagster.yaml").read_text() == edited and instance_in_force(home) == ""


def test_a_file_of_ones_own(state: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("telemetry: {enabled: false}\n")
    assert (prepare_environment(str(own)) / "dagster.yaml").read_text() == own.read_text()


def test_an_unknown_one_names_those_that_are(state: Path) -> None:
    with pytest.raises(SettingsError, match="shipped are laptop, celery, cluster-ray"):
        prepare_environment("clusterray")
    with pytest.raises(SettingsError, match="cannot be read"):
        prepare_environment("nowhere.yaml")
