"""Weights of a checkpoint, put back.

transformers writes a checkpoint under the names that the model's file had (``visual.blocks…``), and reads it by those in memory
(``model.visual.blocks…``). Of a Qwen2.5-VL it reads nothing (5.19), warns, and goes on from the weights that the run began with.
"""

from pathlib import Path
from typing import Any


def restore_weights(trainer: Any, checkpoint: Path) -> None:
    """Have the trainer take the checkpoint's weights as it begins, where a model was saved whole.

    Adapters are kept apart, under names of their own, which the trainer reads right; DeepSpeed and FSDP read their own files.

    Args:
        trainer: of TRL, before it trains.
        checkpoint: folder that it will be told to go on from.
    """
    from transformers import TrainerCallback

    if not (checkpoint / "model.safetensors").is_file() or trainer.is_deepspeed_enabled or trainer.is_fsdp_enabled:
        return

    class Restored(TrainerCallback):
        """Reads the weights by the library's own loader, which knows both names."""

        def on_train_begin(self, args, state, control, model=None, **_):
            own = trainer.accelerator.unwrap_model(model)
            saved = type(own).from_pretrained(checkpoint, dtype=own.dtype)
            own.load_state_dict(saved.state_dict())  # strict: a name too few or too many is an error

    trainer.add_callback(Restored())
