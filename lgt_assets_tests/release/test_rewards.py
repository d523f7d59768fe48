"""``rewards.py`` as users have it: one file, without this package."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lgt_assets.release import reward_functions
from lgt_assets.release.rewards import rewards_source
from lgt_assets_tests.synthesis.test_answer_shapes import COLORS, NONE_OF_THEM, OTHERS, RED
from lgt_assets_tests.synthesis.test_open_answers import RIGHT, WRONG
from lgt_assets_tests.synthesis.test_parsing_reference import REFERENCE
from lgt_assets_tests.synthesis.test_parsing_work import UNITS

# Loaded as OpenRLHF loads it: by its path, and not entered among the modules.
_USER = """
import importlib.util, json, sys
assert importlib.util.find_spec("lgt_assets") is None
spec = importlib.util.spec_from_file_location("reward_func", sys.argv[1])
rewards = importlib.util.module_from_spec(spec)
spec.loader.exec_module(rewards)
case = json.load(open(sys.argv[2], encoding="utf-8"))
rows = list(zip(*case.values()))
json.dump({
    "answers": rewards.answer_reward(**case),
    "formats": rewards.format_reward(case["completions"]),
    "verl": [rewards.compute_score("lgt", c, t, {"verification": v, "choices": s}) for c, t, v, s in rows],
    "easyr1": rewards.easyr1_reward([{"response": c, "ground_truth": t} for c, t, v, s in rows]),
    "openrlhf": rewards.reward_func(["Why? " + c for c, t, v, s in rows], ["Why? "] * len(rows), [t for c, t, v, s in rows]),
    "type": rewards.REWARD_TYPE,
}, open(sys.argv[3], "w", encoding="utf-8"))
"""


@pytest.fixture(scope="module")
def rewards_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("release") / "rewards.py"
    path.write_text(rewards_source(), encoding="utf-8")
    return path


def scored_alone(rewards_file: Path, case: dict[str, list]) -> dict:
    """What the file gives in a process of its own, without site-packages, PYTHONPATH and this folder."""
    given, got = rewards_file.with_name("given.json"), rewards_file.with_name("got.json")
    given.write_text(json.dumps(case), encoding="utf-8")
    command = [sys.executable, "-I", "-S", "-W", "error", "-c", _USER, str(rewards_file), str(given), str(got)]
    subprocess.run(command, check=True, cwd=rewards_file.parent, timeout=300)
    return json.loads(got.read_text(encoding="utf-8"))


def scored_here(case: dict[str, list]) -> dict:
    rows = list(zip(*case.values(), strict=True))
    return {
        "answers": reward_functions.answer_reward(**case),
        "formats": reward_functions.format_reward(case["completions"]),
        "verl": [
            reward_functions.compute_score("lgt", text, truth, {"verification": how, "choices": shown})
            for text, truth, how, shown in rows
        ],
        "easyr1": reward_functions.easyr1_reward(
            [{"response": text, "ground_truth": truth} for text, truth, _, _ in rows]
        ),
        "openrlhf": reward_functions.reward_func(
            ["Why? " + text for text, *_ in rows], ["Why? "] * len(rows), [truth for _, truth, _, _ in rows]
        ),
        "type": "batch",
    }


def as_columns(rows: list[tuple]) -> dict[str, list]:
    names = ("completions", "ground_truth", "verification", "choices")
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def written_corpus() -> Iterator[tuple]:
    for text in (*RED, *NONE_OF_THEM):
        for completion in (text, f"<think> Hm. </think><answer>{text}</answer>"):
            yield completion, "B", "letter", COLORS
            yield completion, "B", None, None
    for choices, verdicts in OTHERS:
        for text, index in verdicts.items():
            yield text, "ABCDEFGHIJ"[index or 0], "letter", list(choices)
    for text, answer, verification in (*RIGHT, *WRONG):
        yield text, answer, verification, None
        yield text, answer, None, []
    for unit in UNITS:
        yield unit * 300, "B", "letter", COLORS
        yield f"<answer>{unit * 300}</answer>", "3", "number", None


def test_it_agrees_with_the_package_on_everything_we_thought_of(rewards_file):
    case = as_columns(list(written_corpus()))
    assert len(case["completions"]) > 2000
    alone = scored_alone(rewards_file, case)
    assert alone == scored_here(case)
    assert 500 < sum(alone["answers"]) < len(alone["answers"]) - 500


@pytest.mark.skipif(not REFERENCE.is_dir(), reason=f"the adjudicated outputs are not at {REFERENCE}")
def test_it_agrees_with_people_on_what_real_models_wrote(rewards_file):
    rows, right = [], []
    for name in ("vlm_cots.jsonl", "reasoner_expansions.jsonl"):
        for line in map(json.loads, (REFERENCE / name).read_text(encoding="utf-8").splitlines()):
            for text, correct in zip(line["completions"], line["expected_correct"], strict=True):
                rows.append((line.get("prefix", "") + text, line["right_letter"], "letter", line["choices_shown"]))
                right.append(float(bool(correct)))
    case = as_columns(rows)
    alone = scored_alone(rewards_file, case)
    assert len(right) == 960 and alone["answers"] == right
    assert alone == scored_here(case)


def test_it_is_the_same_in_every_process():
    command = [
        sys.executable, "-c", "from lgt_assets.release.rewards import rewards_source; print(rewards_source(), end='')",
    ]  # fmt: skip
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        written = subprocess.run(command, check=True, capture_output=True, env=environment, timeout=60).stdout
        assert written.decode() == rewards_source()


def test_it_can_be_read():
    text = rewards_source()
    assert text.startswith('"""Rewards for the rl configs') and text.endswith("\n")
    assert "import lgt_assets" not in text and "from lgt_assets" not in text
    assert max(map(len, text.splitlines())) <= 140
    for name in ("answer_reward, format_reward", "compute_score", "easyr1_reward", "--reward.remote_url"):
        assert name in text.split('"""')[1]
