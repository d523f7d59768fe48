"""What Dagit shows of a training run."""

import io

import pytest
from PIL import Image

from lgt_assets.observe.training import training_metadata
from lgt_assets.training.objectives import Change
from lgt_assets.training.run_plots import run_picture

RECORD = {
    "trainer": "dpo", "release": "r", "tokens": 10, "seconds": 2.0, "cpu_seconds": 1.5, "operations": 80, "rows": 4,
    "resumed_at": 0,
    "history": {"loss": [0.7, 0.5], "rewards/margins": [0.0, 0.4], "rewards/accuracies": [0.5, 1.0]},
}  # fmt: skip


def test_objective_plots_and_what_it_took_are_shown() -> None:
    told = training_metadata(RECORD, [Change("loss of a validation pair", [0.7, 0.7], [0.5, 0.6]).as_dict()])
    assert "| loss of a validation pair | 0.700 | 0.550 | -0.150 (" in told["objective"].value
    assert (told["objective/before"], told["tokens"], told["release"]) == (0.7, 10, "r")
    assert told["plots"].value.startswith("![the run's log by step](data:image/png;base64,")
    assert "history" not in told["settings"].value


def test_a_run_s_picture_has_a_panel_for_each_of_its_numbers() -> None:
    pictures = [
        Image.open(io.BytesIO(run_picture("dpo", RECORD["history"] | {"loss": losses}))).convert("RGB")
        for losses in ([0.7, 0.5], [0.5, 0.7])
    ]
    assert pictures[0].size[0] > 2 * pictures[0].size[1] and pictures[0].tobytes() != pictures[1].tobytes()
    with pytest.raises(KeyError):
        run_picture("sft", RECORD["history"])
