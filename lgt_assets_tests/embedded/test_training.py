from dataclasses import replace

import pytest
import torch

from lgt_assets.embedded.batches import LISTING, BatchSource
from lgt_assets.embedded.detection import cell_targets
from lgt_assets.embedded.scenes import generate_scene
from lgt_assets.embedded.schedule import Cycle, Schedule
from lgt_assets.embedded.thoughts import SEEN, listing
from lgt_assets.embedded.tokenizer import build_tokenizer
from lgt_assets.embedded.training import train
from lgt_assets.errors import SettingsError

CYCLES = (Cycle(3, 1e-3, 0.5), Cycle(1, 1e-3, 1.0))
SHORT = Schedule(vision_steps=2, drill_steps=1, practice_steps=1, cycles=CYCLES, scenes_per_vision_batch=2)


def state(folder) -> dict:
    return torch.load(folder / "training.pt", weights_only=True)


@pytest.mark.slow
def test_a_resumed_run_ends_where_an_uninterrupted_one_does(tmp_path) -> None:
    heard: list[tuple[int, int]] = []

    def interrupt(done: int, total: int, message: str) -> None:
        heard.append((done, total))
        if done == 4:
            raise KeyboardInterrupt

    train(tmp_path / "whole", seed=3, schedule=SHORT, threads=1)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "parts", seed=3, schedule=SHORT, threads=1, save_every=3, report_every=1, progress=interrupt)
    assert state(tmp_path / "parts")["step"] == 3
    train(tmp_path / "parts", seed=3, schedule=SHORT, threads=1, resume=True)
    whole, parts = state(tmp_path / "whole"), state(tmp_path / "parts")
    assert heard[-1] == (4, 6) and whole["step"] == parts["step"] == 6 and whole["served"] == parts["served"]
    for name, weight in whole["model"].items():
        assert torch.equal(weight, parts["model"][name]), name
    assert {"config.json", "model.safetensors", "preprocessor_config.json"} <= {
        file.name for file in (tmp_path / "parts").iterdir()
    }
    with pytest.raises(SettingsError, match="another seed"):
        train(tmp_path / "parts", seed=4, schedule=SHORT, threads=1, resume=True)
    with pytest.raises(SettingsError, match="another seed or schedule"):
        train(tmp_path / "parts", seed=3, schedule=replace(SHORT, cycles=CYCLES[:1]), threads=1, resume=True)


@pytest.mark.slow
def test_two_processes_learn_what_one_does(tmp_path) -> None:
    schedule = replace(SHORT, vision_steps=1, cycles=(Cycle(3, 1e-3, 0.5),))
    train(tmp_path / "one", seed=3, schedule=schedule, threads=1)
    train(tmp_path / "two", seed=3, schedule=schedule, threads=2)
    one, two = state(tmp_path / "one")["model"], state(tmp_path / "two")["model"]
    assert all(torch.allclose(one[name], two[name], atol=1e-5) for name in one)


def test_batches_depend_on_seed_role_and_number_alone() -> None:
    tokenizer = build_tokenizer(0, 100)
    first, second = BatchSource(tokenizer, 1), BatchSource(tokenizer, 1)
    second.batch("vlm", 7)
    assert torch.equal(first.batch("vlm", 2).ids, second.batch("vlm", 2).ids)
    assert not torch.equal(first.batch("vlm", 3).ids[:2, :40], BatchSource(tokenizer, 2).batch("vlm", 3).ids[:2, :40])
    batch = first.batch("reasoner", 0)
    assert batch.ids.shape == batch.learnt.shape and batch.scenes is None and batch.learnt.any(1).all()
    assert len(first.batch("vlm", 0).scenes) == len(first.batch("vlm", 0).ids)
    for number in range(30):
        drill = first.drill(number)
        assert drill.learnt.any() and drill.ids.max() < len(tokenizer)


def test_a_listing_is_learnt_up_to_where_reasoning_would_begin() -> None:
    tokenizer = build_tokenizer(0, 100)
    batch = BatchSource(tokenizer, 1).batch(LISTING, 0)
    assert len(batch.scenes) == len(batch.ids)
    for ids, learnt, scene in zip(batch.ids, batch.learnt, batch.scenes, strict=True):
        said = tokenizer.decode(ids[learnt])
        assert said == f"<think> I see {listing(scene.objects, SEEN)}."
        assert not learnt[: int(learnt.nonzero()[0])].any() and "Question" in tokenizer.decode(ids[~learnt])


def test_detection_targets_say_what_stands_in_each_cell() -> None:
    scene = generate_scene(1)
    targets = cell_targets([scene])[0]
    assert int(targets[:, 0].sum()) == len(scene.objects)
    for item in scene.objects:
        x, y = item.center
        present, *_, column_in_cell, row_in_cell, column, row = targets[y // 60 * 4 + x // 60].tolist()
        assert present == 1
        assert (column * 60 + column_in_cell * 20 + 10, row * 60 + row_in_cell * 20 + 10) == (x, y)
