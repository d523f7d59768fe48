"""The ready configs are what ms-swift takes: a step of each is trained, and GRPO is rewarded by the export's rewards.py."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("swift")

from lgt_assets_tests.trainers.swift.reading import (
    CONFIGS,
    EXPORT,
    WEIGHTS,
    load,
    rows_of,
    template,
    with_small_vocabulary,
)

# What this machine has not: the published model, earlier steps' weights, GPUs, and deepspeed and vLLM, which ask for them.
HERE = {"model": str(WEIGHTS), "use_cpu": True, "torch_dtype": "float32", "dataloader_num_workers": 0, "max_steps": 1,
        "gradient_accumulation_steps": 1, "save_strategy": "no", "eval_strategy": "no"}  # fmt: skip
NOT_HERE = ("deepspeed", "adapters", "ref_adapters", "use_vllm", "vllm_mode", "vllm_gpu_memory_utilization")
RIGHT, WRONG = (
    "<think> So it is. </think><answer>{}</answer>",
    "<think> So it is. </think><answer>none of these</answer>",
)


def read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.fixture
def in_the_export(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(EXPORT)
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def pipeline(path: Path, here: dict[str, Any], folder: Path) -> Any:
    """What `swift sft CONFIG` or `swift rlhf CONFIG` makes of the config."""
    from swift.cli.main import parse_yaml_args
    from swift.pipelines.train.rlhf import SwiftRLHF
    from swift.pipelines.train.sft import SwiftSft

    settings = {key: value for key, value in read(path).items() if key not in NOT_HERE}
    config = folder / path.name
    config.write_text(yaml.safe_dump(settings | here | {"output_dir": str(folder / "saves")}))
    arguments = [str(config)]
    parse_yaml_args(arguments)
    made = (SwiftRLHF if "rlhf_type" in settings else SwiftSft)(arguments)
    with_small_vocabulary(made.template, "rlhf" if settings.get("rlhf_type") == "dpo" else "train")
    return made


def test_there_is_a_config_for_each_step_full_and_lora() -> None:
    steps = ("sft_stage1", "sft_stage2_merged", "dpo", "grpo")
    assert {path.stem for path in CONFIGS} == {f"{step}_{tuning}" for step in steps for tuning in ("full", "lora")}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_step_goes_on_from_one_that_is_there(path: Path) -> None:
    settings = read(path)
    written = {f"{read(other)['output_dir']}/last" for other in CONFIGS}
    is_lora, is_first = settings["tuner_type"] == "lora", path.stem.startswith("sft_stage1")
    before = settings.get("adapters", []) if is_lora else [settings["model"]]
    assert is_first or before and set(before) <= written
    # The reference with LoRA is the model as SFT left it.
    assert settings.get("ref_adapters") == (before if is_lora and "rlhf_type" in settings else None)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
@pytest.mark.usefixtures("in_the_export")
def test_a_step_is_trained(path: Path, tmp_path: Path) -> None:
    settings = read(path)
    made = pipeline(path, HERE, tmp_path)
    for names, told in ((settings["dataset"], made.args.dataset), (settings["val_dataset"], made.args.val_dataset)):
        assert told == names
        assert len(load(*map(Path, names))) == sum(len(rows_of(EXPORT / name)) for name in names) > 0
    history = made.main()["log_history"]
    assert history[0]["loss"] == history[0]["loss"]
    if path.stem.startswith("grpo"):
        assert 0 <= history[0]["rewards/AnswerReward/mean"] <= 1
        assert 0 < history[0]["rewards/FormatReward/mean"] <= 1


@pytest.mark.usefixtures("in_the_export")
def test_max_length_of_the_longest_row_deletes_nothing_and_one_less_does() -> None:
    from swift.template import MaxLengthError

    rows = load(EXPORT / "sft_stage1_train.jsonl")
    lengths = [len(template("train").encode(row)["input_ids"]) for row in rows]
    longest = rows[lengths.index(max(lengths))]
    assert max(lengths) <= read(EXPORT / "configs" / "sft_stage1_full.yaml")["max_length"]
    template("train", max_length=max(lengths)).encode(longest)
    with pytest.raises(MaxLengthError):
        template("train", max_length=max(lengths) - 1).encode(longest)


def test_ms_swift_loads_the_plugin_and_it_tells_right_from_wrong() -> None:
    from swift.rewards import orms
    from swift.utils import import_external_file

    import_external_file(str(EXPORT / "swift_plugin.py"))
    rows = rows_of(EXPORT / "rl_stage1_train.jsonl") + rows_of(EXPORT / "rl_stage2_train.jsonl")
    columns = {name: [row[name] for row in rows] for name in ("solution", "verification", "choices")}
    right = [RIGHT.format(row["solution"]) for row in rows]
    answer, layout = orms["lgt_answer"](), orms["lgt_format"]()
    assert answer(right, **columns, trainer_state=None) == [1.0] * len(rows)
    assert answer([WRONG] * len(rows), **columns) == [0.0] * len(rows)
    assert layout([*right, "So it is."], **columns) == [1.0] * len(rows) + [0.0]
