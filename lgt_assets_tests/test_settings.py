"""Profiles load whole, and say which field of which file is wrong."""

import re
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from lgt_assets.errors import SettingsError
from lgt_assets.post_training_settings import PostTrainingSettings
from lgt_assets.schemas import frame
from lgt_assets.settings import PROFILES_FOLDER, load_profile, state_folder
from lgt_assets.state import shared_store, tables_folder
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.rows import SHARD, image_row

SHIPPED = sorted(path.stem for path in PROFILES_FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_profile_binds_all_roles(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    assert {"questioner", "composer", "vlm", "reasoner", "verifier"} <= set(profile.roles)
    for model in profile.models.values():
        assert model.model == "embedded" or model.revision, f"{name}: pin {model.model} to a commit"


def test_the_environment_chooses_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LGT_PROFILE", raising=False)
    assert load_profile().name == "embedded"
    monkeypatch.setenv("LGT_PROFILE", "endpoint")
    assert load_profile().name == "endpoint"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("temperature: 0.7", "temperature: hot"), r"roles\.questioner\.sampling\.temperature"),
        (("samples: 4", "sampels: 4"), r"distill\.sampels"),
        (("questioner: {model: small", "questioner: {model: large"), r"roles\.questioner\.model is 'large'"),
        (("engine: hf_transformers", "engine: abacus"), "models.small"),
        (
            ("  questioner: {", "  detector: {model: small}\n  questioner: {"),
            "whose engine hf_transformers finds no boxes",
        ),
        (
            (
                "    engine: hf_transformers\n    model: embedded\n    device: cpu\n    dtype: float32\n    batch_size: 64\n",
                "    engine: grounding_dino\n    model: embedded\n",
            ),
            r"roles\.questioner\.model is 'small', whose engine grounding_dino writes no text",
        ),
        (("distill:", "detect: {minimum_share: 0.5, maximum_share: 0.4}\ndistill:"), "minimum_share 0.5 is not below"),
        (("name: embedded", "name: [unclosed"), "not YAML"),
        (("  key_votes: 1", "  maximum_type_share: 0.2"), r"questions: .*maximum_type_share 0\.2 of 4 types"),
        (
            ("  support_votes: 1", "  minimum_hardness: 0\n  measure_hardness: false"),
            r"compose: .*needs measure_hardness",
        ),
    ],
)
def test_a_wrong_field_is_named_with_its_file(tmp_path: Path, change: tuple[str, str], named: str) -> None:
    text = (PROFILES_FOLDER / "embedded.yaml").read_text()
    assert change[0] in text
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace(*change))
    with pytest.raises(SettingsError, match=named) as caught:
        load_profile(str(path))
    assert "mine.yaml" in str(caught.value)


@pytest.mark.parametrize("name", ["endpoint", "one-gpu"])
def test_the_lines_for_captions_and_boxes_in_the_guide_fit_into_a_profile(name: str, tmp_path: Path) -> None:
    text = (PROFILES_FOLDER.parents[1] / "docs" / "sources.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"```yaml\n(.*?)```", text, flags=re.S)
    own = yaml.safe_load((PROFILES_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    for section, values in yaml.safe_load(lines).items():
        own[section] = own[section] | values
    path = tmp_path / "my.yaml"
    path.write_text(yaml.safe_dump(own), encoding="utf-8")
    profile = load_profile(str(path))
    assert profile.binds("captioner", "detector") and profile.captions.allow_generated


def test_an_unknown_profile_lists_the_shipped_ones() -> None:
    with pytest.raises(SettingsError, match="shipped are embedded, endpoint"):
        load_profile("nonsense")


def test_state_lies_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LGT_STATE", str(tmp_path))
    assert state_folder() == tmp_path


@pytest.mark.parametrize("name", ["a b", "straße", "100%", "a[1]", "a=b", "a#b"])
def test_a_state_folder_whose_tables_could_not_be_read_back_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LGT_STATE", str(tmp_path / name))
    with pytest.raises(SettingsError, match="set LGT_STATE"):
        state_folder()


def test_tables_are_read_back_from_a_folder_that_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LGT_STATE", str(tmp_path / "a!$&'()+,.:;@_~-b"))
    store = DeltaStore(str(state_folder() / "tables"))
    store.replace("images", frame("images", [image_row()]), shard=SHARD)
    assert store.read("images", shards=[SHARD]).height == 1


def test_tables_lie_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LGT_STATE", str(tmp_path))
    assert tables_folder() == str(tmp_path / "tables")
    for given, root in (
        ("s3://bucket/tables/", "s3://bucket/tables"),
        (str(tmp_path / "other"), str(tmp_path / "other")),
    ):
        monkeypatch.setenv("LGT_TABLES", given)
        assert tables_folder() == root


@pytest.mark.parametrize("root", ["s3://", "http://host/tables", "/tmp/a b"])
def test_a_place_where_no_tables_can_lie_is_refused(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LGT_TABLES", root)
    with pytest.raises(SettingsError, match="LGT_TABLES"):
        tables_folder()


def test_one_address_says_where_everything_lies_that_machines_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LGT_STATE", str(tmp_path))
    monkeypatch.delenv("LGT_TABLES", raising=False)
    assert shared_store() == ""
    monkeypatch.setenv("LGT_STORE", "gs://bucket/here/")
    assert (shared_store(), tables_folder()) == ("gs://bucket/here", "gs://bucket/here/tables")
    monkeypatch.setenv("LGT_TABLES", "s3://other")
    assert tables_folder() == "s3://other"
    monkeypatch.setenv("LGT_STORE", str(tmp_path))
    with pytest.raises(SettingsError, match="LGT_STORE"):
        shared_store()


def test_a_model_has_budgets_of_its_own() -> None:
    with pytest.raises(ValidationError, match="the budgets of the student are for no other model: give dpo, grpo too"):
        PostTrainingSettings(model="somebody/else", sft={"steps": 1, "batch": 1, "learning_rate": 1e-4})


def test_a_rate_of_sgd_is_no_rate_of_adamw() -> None:
    told = {"steps": 1, "batch": 8, "learning_rate": 0.6}
    with pytest.raises(ValidationError, match=r"learning_rate 0\.6 is one of sgd"):
        PostTrainingSettings(grpo=told)
    assert PostTrainingSettings(grpo=told | {"optimizer": "sgd"}).grpo.learning_rate == 0.6


def test_an_optimizer_that_there_is_not_is_refused_by_field() -> None:
    with pytest.raises(ValidationError, match=r"grpo\.optimizer\n  Input should be 'adamw' or 'sgd'"):
        PostTrainingSettings(grpo={"steps": 1, "batch": 8, "learning_rate": 1e-3, "optimizer": "adam"})
