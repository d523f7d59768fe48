"""The scale benchmark: its replies are such as the graph reads, its pictures are pictures, its figures add up."""

import hashlib
import io
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.scale import SMALLEST, sizes_of, slope
from benchmarks.scale_parts.replay import ReplayEngine, reply
from benchmarks.scale_parts.run_costs import Usage, figures_of
from benchmarks.scale_parts.scenes import SCENES, picture_bytes, scene_of, scene_shown, write_manifest
from benchmarks.scale_parts.simulation import pictures_for
from benchmarks.scale_parts.sizes import sizes
from lgt_assets.embedded import prompt_texts
from lgt_assets.embedded.answerers import CUES
from lgt_assets.embedded.grammar import true_answer
from lgt_assets.embedded.roles import make_example
from lgt_assets.embedded.scenes import PICTURE_SIZE
from lgt_assets.embedded.verdicts import CANNOT_KNOW
from lgt_assets.engines.base import ImageReference, Message, ModelIdentity, Request, Sampling, request_key
from lgt_assets.sources.manifest import ManifestOptions
from lgt_assets.sources.manifest_rows import read_json_lines
from lgt_assets.synthesis.parsing import ParsedQuestion, answer_index, parse_questions

NUMBERS = range(0, SCENES, 8)


def asked(text: str, *, seed: int = 1, number: int | None = None, prefix: str = "") -> Request:
    """A request; ``number`` is of the picture that it shows."""
    images = () if number is None else (ImageReference("0" * 64, f"/pictures/{number}.png"),)
    return Request((Message("user", text, images),), Sampling(), seed, prefix)


def written(number: int, question_type: str = "Counting", seed: int = 1) -> ParsedQuestion:
    """A question that the engine wrote of a scene."""
    scene = scene_of(number)
    text = prompt_texts.questioner_text(scene, 0, scene.objects[:1], question_type)
    (question,) = parse_questions(reply(asked(text, seed=seed)))
    assert isinstance(question, ParsedQuestion)
    return question


def test_written_questions_parse_and_their_keys_are_true() -> None:
    for number in NUMBERS:
        for kind in ("Recognition", "Counting", "Spatial"):
            question = written(number, kind)
            assert question.question_type == kind
            assert question.choices[question.answer_index] == true_answer(question.question, scene_of(number))


def test_the_composer_joins_questions_as_it_is_told() -> None:
    for seed in range(40):
        example = make_example("composer", scene_of(seed), random.Random(seed))
        (question,) = parse_questions(reply(asked(example.user, seed=seed)))
        assert isinstance(question, ParsedQuestion) and question.question_type == "Multi-hop"
        assert question.choices[question.answer_index] == true_answer(question.question, scene_of(seed))


def test_who_sees_errs_now_and_then_and_who_reads_the_caption_never() -> None:
    seen, read, blind = [], [], []
    for number in NUMBERS:
        question = written(number, "Recognition")
        menu, key, scene = list(question.choices), question.answer_index, scene_of(number)
        look = prompt_texts.vlm_text(question.question, menu, "letter_text")
        for seed in range(5):
            seen.append(answer_index(reply(asked(look, number=number, seed=seed)), menu) == key)
        told = prompt_texts.verifier_text(prompt_texts.caption_line(scene, 0), [], question.question, menu)
        read.append(answer_index(reply(asked(told)), menu) == key)
        nothing = reply(asked(prompt_texts.verifier_text("", [], question.question, menu), seed=number))
        blind.append(answer_index(nothing, menu) == key)
        assert CANNOT_KNOW in nothing
    assert 0.6 < sum(seen) / len(seen) < 1
    assert all(read) and 0 < sum(blind) < len(blind)


@pytest.mark.parametrize("cue", CUES)
def test_a_second_thought_goes_on_after_its_cue_and_ends_in_a_choice(cue: str) -> None:
    question, scene = written(8), scene_of(8)
    menu = list(question.choices)
    first = reply(asked(prompt_texts.vlm_text(question.question, menu, "letter"), number=8))
    thought = first.removeprefix("<think> ").partition(" </think>")[0]
    text = prompt_texts.reasoner_text(scene, 0, question.question, menu, "letter")
    second = reply(asked(text, prefix=f"{thought} {cue}"))
    assert answer_index(second, menu) == question.answer_index
    told = reply(asked(prompt_texts.consistency_text(question.question, menu, thought)))
    assert answer_index(told, menu) == answer_index(first, menu)


def test_the_engine_answers_each_request_once_and_always_alike() -> None:
    requests = [asked(prompt_texts.questioner_text(scene_of(n), 0, scene_of(n).objects, "Counting")) for n in range(5)]
    engine = ReplayEngine()
    first, again = list(engine.generate(requests)), list(engine.generate(reversed(requests)))
    assert first == again[::-1] and engine.answered == 10 and engine.seconds > 0
    assert [one.request_key for one in first] == [request_key(ModelIdentity("replay", "1"), one) for one in requests]


def test_every_picture_is_another_file_of_its_scene() -> None:
    numbers = (0, 1, SCENES, 5 * SCENES + 1)
    contents = [picture_bytes(number) for number in numbers]
    assert len(set(contents)) == len(numbers)
    pictures = [Image.open(io.BytesIO(content)).convert("RGB") for content in contents]
    assert pictures[0].tobytes() == pictures[2].tobytes() != pictures[1].tobytes() == pictures[3].tobytes()
    assert pictures[0].size == (PICTURE_SIZE, PICTURE_SIZE)
    assert scene_shown(f"/somewhere/{5 * SCENES + 1}.png") is scene_of(1)


def test_the_manifest_says_of_its_pictures_what_is_true(tmp_path: Path) -> None:
    path = write_manifest(tmp_path, range(12))
    ManifestOptions(path=path)
    rows = [row.value for row in read_json_lines(path)]
    assert len(rows) == 12
    for row in rows:
        content = (tmp_path / row["image"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["sha256"]
        assert Image.open(io.BytesIO(content)).size == (row["width"], row["height"])
        assert [box["box"] for box in row["boxes"]] == [list(item.box) for item in scene_of(int(row["id"])).objects]


def test_one_size_gets_another_to_compare_it_with() -> None:
    assert sizes_of("10000") == [1000, 10000] and sizes_of("500,40,500") == [40, 500]
    with pytest.raises(SystemExit, match=f"{SMALLEST} is the least"):
        sizes_of(f"{SMALLEST - 1},1000")
    with pytest.raises(SystemExit, match="200 where it is one size alone"):
        sizes_of("150")
    assert slope([{"cost": 2.0}, {"cost": 9.0}, {"cost": 2.3}], "cost") == 1.15


def test_usage_counts_processor_time_and_memory_of_a_stretch() -> None:
    usage = Usage()
    usage.close()
    usage.times, usage.processor_s, usage.resident_mb = (
        [10.0, 11.0, 12.0, 13.0],
        [1.0, 1.5, 3.0, 3.2],
        [5.0, 9.0, 7.0, 8.0],
    )
    assert usage.processor_between(11.1, 13.5) == pytest.approx(0.2) and usage.processor_between(10.5, 11.5) == 1.5
    assert usage.peak_between(10.2, 12.5) == 9.0 and usage.peak_between(12.1, 14) == 8.0


def test_costs_of_processes_are_added_up() -> None:
    def fifth(seconds: float, rows: int, rss: float) -> dict:
        return {"seconds": seconds, "processor_s": seconds / 2, "rows": rows, "rss_mb": rss}

    costs = [
        {"start": 10.0, "end": 20.0, "processor_s": 6.0, "steps": {"images": 4.0},
         "fifths": [fifth(2.0, 1000, 50.0), None, None, None, fifth(3.0, 1000, 70.0)]},
        {"start": 12.0, "end": 24.0, "processor_s": 8.0, "steps": {"images": 6.0, "release": 1.0},
         "fifths": [fifth(4.0, 500, 90.0), None, None, None, fifth(3.0, 2000, 60.0)]},
    ]  # fmt: skip
    found = figures_of(costs, rows=7000, shards=2)
    assert found["seconds"] == 14.0 and found["rows_per_s"] == 500.0
    assert found["ms_per_row"] == pytest.approx(22 / 7) and found["processor_ms_per_row"] == 2.0
    assert found["seconds_per_shard"] == 11.0 and found["between_steps_s_per_shard"] == 5.5
    assert found["seconds_per_shard_by_asset"] == {"images": 5.0, "release": 0.5}
    assert found["ms_per_row_by_fifth"] == [{"wall": 4.0, "processor": 2.0}, {"wall": 2.0, "processor": 1.0}]
    assert found["peak_rss_mb_by_fifth"] == [90.0, 70.0] and found["within_slope"] is None
    costs[0]["fifths"] = costs[1]["fifths"] = [fifth(1.0, 1000, 1.0)] * 4 + [fifth(1.1, 1000, 1.0)]
    assert figures_of(costs, rows=7000, shards=2)["within_slope"] == 1.1


def test_sizes_tell_data_from_logs(tmp_path: Path) -> None:
    for name, size in {
        "tables/images/shard=a/1.parquet": 3000, "tables/images/_delta_log/0.json": 500,
        "tables/images/_delta_log/9.checkpoint.parquet": 700, "dagster/history/runs.db": 4000, "dagster/history/runs.db-wal": 50,
        "dagster/history/note.txt": 9, "responses/sealed": 600,
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * size)
    found = sizes(tmp_path, {"images": 30, "failures": 0, "generations": 3}, 2)
    assert found["table_mb"]["images"] == 0.003 and found["table_bytes_per_row"]["images"] == 100
    assert found["delta_log_kb_per_shard"] == 0.6 and found["event_log_mb"] == 0.004
    assert found["response_store_bytes_per_completion"] == 200


@pytest.mark.slow
def test_the_graph_runs_and_the_figures_add_up() -> None:
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "benchmarks.scale",
        "--questions",
        "20,40",
        "--pictures-per-shard",
        "3",
        "--processes",
        "2",
    ]
    done = subprocess.run(
        [*command, "--no-pages", "--json"], cwd=Path(__file__).parents[1], env=os.environ, capture_output=True, text=True,
        timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["pictures"] == pictures_for(40) and found["shards"] == 2
    assert 20 < found["questions"] < 60
    rows = found["rows"]
    assert rows["images"] == found["pictures"] and rows["funnel"] == 9 * found["shards"] and rows["failures"] == 0
    assert found["questions"] == rows["seed_questions"] + rows["composed_questions"]
    assert (
        rows["distilled_cots"] == 2 * found["questions"] and min(rows[name] for name in rows if name != "failures") > 0
    )
    (smaller,) = found["sizes"]
    assert found["rows_per_s"] == pytest.approx(sum(rows.values()) / found["seconds"], rel=0.01)
    assert found["cost_slope"] == pytest.approx(found["ms_per_row"] / smaller["ms_per_row"], abs=0.001)
    assert found["processor_slope"] > 0 and found["peak_rss_mb"] > 100
