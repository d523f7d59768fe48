"""Weights of a checkpoint, put back.

transformers writes a checkpoint under the names that the model's file had (``visual.blocks…``), and reads it by those in memory
(``model.visual.blocks…``). Of a Qwen2.5-VL it reads nothing (5.19), warns, and goes on from the weights that the run began with.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


@contextmanager
def restored_weights(trainer: Any, checkpoint: Path | None) -> Iterator[None]:
    """Within it the trainer takes the checkpoint's weights as it begins, where a model was saved whole.

    Adapters are kept apart, under names of their own, which the trainer reads right; DeepSpeed and FSDP read their own files.

    Args:
        trainer: of TRL, before it trains.
        checkpoint: folder that it will be told to go on from, if any.
    """
    from transformers import TrainerCallback

    is_whole = checkpoint is not None and (checkpoint / "model.safetensors").is_file()
    if not is_whole or trainer.is_deepspeed_enabled or trainer.is_fsdp_enabled:
        yield
        return

    class Restored(TrainerCallback):
        """Reads the weights by the library's own loader, which knows both names."""

        def on_train_begin(self, args, state, control, model=None, **_):
            own = trainer.accelerator.unwrap_model(model)
            saved = type(own).from_pretrained(checkpoint, dtype=own.dtype)
            own.load_state_dict(saved.state_dict())  # strict: a name too few or too many is an error

    trainer.add_callback(Restored())
    logger = logging.getLogger("transformers.trainer")
    logger.addFilter(_is_no_missing_name)
    try:
        yield
    finally:
        logger.removeFilter(_is_no_missing_name)


def _is_no_missing_name(record: logging.LogRecord) -> bool:
    """Whether the trainer says anything else than that it misses names, which are read right after it."""
    return not record.getMessage().startswith(("There were missing keys", "There were unexpected keys"))


def put_back(trainer: Any, checkpoint: Path) -> None:
    """Have the trainer be as it was at a checkpoint, weights, state and log, and train nothing.

    transformers takes a step before it sees that all are done (5.23), so it is left as it is about to begin.

    Args:
        trainer: of TRL, before it trains, within :func:`restored_weights`.
        checkpoint: of the last step.
    """
    from transformers import TrainerCallback

    class Stopping(TrainerCallback):
        """Called last, when everything is loaded, whatever loads it."""

        def on_train_begin(self, args, state, control, **_):
            raise _PutBack

    trainer.add_callback(Stopping())
    with suppress(_PutBack):
        trainer.train(resume_from_checkpoint=str(checkpoint))


class _PutBack(Exception):
    """Leaves the trainer's loop before its first step."""
