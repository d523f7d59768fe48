"""The model that learns, as TRL's trainers are given it: loaded, with its processor, and with LoRA where only that learns."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from lgt_assets.errors import SettingsError
from lgt_assets.post_training_settings import PostTrainingSettings
from lgt_assets.training.processors import picture_processor
from lgt_assets.training.recipes import Budget

CPU_STUDENT = PostTrainingSettings()
# As in the release's ready configurations: the language model's linear layers, the vision tower stays as it is.
_LORA = {
    "r": 64, "lora_alpha": 128, "lora_dropout": 0.05, "task_type": "CAUSAL_LM",
    "target_modules": r".*language_model.*\.(q|k|v|o|gate|up|down)_proj",
}  # fmt: skip


def loaded(start: Path, learner: PostTrainingSettings, frozen: Collection[str] = ()) -> Any:
    """The weights in ``start``, or that the hub has under this name; 16 bit on GPUs.

    Args:
        start: see there.
        learner: what learns, and where.
        frozen: names in the paths of weights that do not learn.

    Raises:
        SettingsError: the model has no such name, or LoRA learns, which has its own.
    """
    if frozen and learner.method == "lora":
        raise SettingsError(
            f"post_training: LoRA freezes all weights and says itself what learns: leave frozen ({', '.join(frozen)}) out of the "
            "budget"
        )
    from transformers import AutoModelForImageTextToText
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # it would write between the lines of whoever shows progress here
    precision = "bfloat16" if learner.devices else "float32"
    model = AutoModelForImageTextToText.from_pretrained(start, dtype=precision, **_revision(start, learner))
    _freeze(model, frozen)
    return model


def _freeze(model: Any, frozen: Collection[str]) -> None:
    paths = {path: set(path.split(".")) for path, _ in model.named_parameters()}
    if unknown := set(frozen) - set().union(*paths.values()):
        raise SettingsError(
            f"post_training: frozen has {', '.join(sorted(unknown))}, which is in the path of no weight of the model, as in "
            f"{next(iter(paths))}"
        )
    for path, weight in model.named_parameters():
        weight.requires_grad_(paths[path].isdisjoint(frozen))


def processor_of(start: Path, learner: PostTrainingSettings, padding_side: str = "right") -> Any:
    """The model's processor: the student's without videos, any other's whole, for which torchvision is needed."""
    if learner.is_student:
        return picture_processor(start, padding_side)
    from transformers import AutoProcessor

    return AutoProcessor.from_pretrained(start, padding_side=padding_side, **_revision(start, learner))


def adapter_of(learner: PostTrainingSettings) -> Any:
    """What learns in place of the weights, or None where all of them do."""
    if learner.method == "full":
        return None
    from peft import LoraConfig

    return LoraConfig(**_LORA)


def device_arguments(learner: PostTrainingSettings, budget: Budget) -> Mapping[str, Any]:
    """How a step of ``budget.batch`` rows is spread over devices and time.

    Raises:
        SettingsError: the batch does not divide.
    """
    if not learner.devices:
        return {
            "per_device_train_batch_size": budget.batch,
            "use_cpu": True,
            "bf16": False,
            "gradient_checkpointing": False,
        }
    at_once = learner.devices * learner.rows_per_device
    if budget.batch % at_once:
        raise SettingsError(
            f"post_training: a step of {budget.batch} rows does not divide into {learner.devices} devices of "
            f"{learner.rows_per_device} rows each"
        )
    return {
        "per_device_train_batch_size": learner.rows_per_device, "gradient_accumulation_steps": budget.batch // at_once,
        "bf16": True, "gradient_checkpointing": True,
    }  # fmt: skip


def save_whole(trainer: Any, out: Path, learner: PostTrainingSettings) -> None:
    """Write weights and processor to ``out``; what LoRA learnt is merged into the weights it started from."""
    if learner.method == "full":
        trainer.save_model(str(out))
        return
    trainer.accelerator.wait_for_everyone()
    if trainer.accelerator.is_main_process:
        trainer.accelerator.unwrap_model(trainer.model).merge_and_unload().save_pretrained(out)
        trainer.processing_class.save_pretrained(out)
    trainer.accelerator.wait_for_everyone()


def _revision(start: Path, learner: PostTrainingSettings) -> dict[str, str]:
    return {"revision": learner.revision} if learner.revision and not Path(start).is_dir() else {}
