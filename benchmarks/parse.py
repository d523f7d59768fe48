"""Parsing and verifying on one core: rows a second over mutated completions, against a floor in the same run.

A row is one completion. Ninety-nine in a hundred are chains of thought for :func:`parse_trace` (thought, answer, and which
choice the answer names), eight of them about one question; one in a hundred (``--question-share``) is a question writer's
reply for :func:`parse_questions`: a reply holds several questions, each of which gets ten samples or more. The floor is one
compiled regular expression that finds the last ``<answer>…</answer>`` of the same row and judges nothing.

Rows are made here from seeds: real-looking completions in the ways that models write them, and recorded ones where
``--reference`` names a folder of them, each changed by none to three mutations. They are made in batches outside the clock.
"""

import argparse
import json
import random
import re
import time
from collections import Counter
from pathlib import Path

from lgt_assets.synthesis.parsing import ParsedTrace, parse_questions, parse_trace

BATCH = 10_000
TRACES_PER_QUESTION = 8
LETTERS = "ABCDEFGHIJ"
FLOOR = re.compile(r".*<answer>(.*?)</answer>", re.DOTALL)
REFERENCE = Path(__file__).parents[2] / "shared" / "reference" / "lpt"
NOUNS = "hat dog bicycle lamp kettle bench window umbrella statue ladder boat clock painting suitcase mug".split()
COLORS = "red blue green yellow orange purple black white brown grey".split()
SENTENCES = (
    "To answer this, I'll look closely at the {noun} in the image.",
    "The {noun} is placed near the {other}, slightly to the left.",
    "It appears to have a {color} surface, which stands out against the background.",
    "Wait, let me double-check the details of the {noun}.",
    "Looking again, the light falls from behind, so the {noun} seems darker.",
    "The options are {listed}.", "Hmm, the {other} could be confused with it, but the shape is different.",
    "Given this observation, the {noun} matches what is asked.",
    "There are two of them, if I count the one behind the {other}.",
    "Alternatively, the question could be about the {other}, which is {color}.",
)  # fmt: skip
ENDINGS = (
    "</think>\n<answer>{letter}</answer>", "</think>\n<answer>({letter})</answer>", "</think>\n\n<answer> {letter} </answer>",
    "</think>\n<answer>({letter}) {text}</answer>", "</think>\n<answer>{letter}. {text}</answer>",
    "</think>\n<answer>{text}</answer>",
    "</think>\n\nThe {noun} is what the question asks about.\n\n<answer>({letter})</answer>",
    "</think>\n\n**Answer:** ({letter}) {text}", "</think>\n\nThe correct answer is **{letter}**.",
    "</think>\n\n\\boxed{{{letter}}}",
    "</think>\n<answer>{letter}. {text}, since the {noun} is {text}</answer>",
    "</think>\n<answer>The answer is ({letter}).</answer>",
)  # fmt: skip
ENDING_WEIGHTS = (24, 20, 12, 10, 8, 8, 8, 2, 2, 2, 2, 2)
MUTATIONS = (
    lambda text, draw: text[: draw.randrange(len(text) + 1)],
    lambda text, draw: text.replace("<answer>", "<Answer>"),
    lambda text, draw: text.replace("</think>", "", 1),
    lambda text, draw: text.removeprefix("<think>"),
    lambda text, draw: text + " " + text[-draw.randrange(1, 60) :],
    lambda text, draw: text.replace("<answer>", "<answer>**").replace("</answer>", "**</answer>"),
    lambda text, draw: text.replace("</answer>", "."),
    lambda text, draw: text.replace(" the ", " the\u00a0"),
    lambda text, draw: text.replace("'", "’").replace('"', "“"),
    lambda text, draw: text.replace("(", "（").replace(")", "）"),
    lambda text, draw: text.upper(),
    lambda text, draw: text.replace(
        "<answer>", "<answer>" + draw.choice(("A or ", "not ", "(Z) ", "Option ", "It is ")), 1
    ),
    lambda text, draw: text.replace("(A)", "(B)"),
    lambda text, draw: text.replace(". ", ".\n\n- "),
    lambda text, draw: _changed_at(
        text, draw.randrange(len(text) + 1), draw.choice(["\u200b", "\ud800", "<", "*", "红", "\\"])
    ),
)


def _changed_at(text: str, position: int, inserted: str) -> str:
    return text[:position] + inserted + text[position:]


def _choices(draw: random.Random) -> list[str]:
    kind = draw.randrange(4)
    if kind == 0:
        return draw.sample(COLORS, 4)
    if kind == 1:
        return [str(number) for number in draw.sample(range(1, 12), 4)]
    if kind == 2:
        return [f"A {draw.choice(COLORS)} {noun}" for noun in draw.sample(NOUNS, 4)]
    return [
        f"{place} the {draw.choice(NOUNS)}"
        for place in draw.sample(["Behind", "On", "Under", "Beside", "In front of"], 4)
    ]


def _listed(choices: list[str]) -> str:
    return " ".join(f"({letter}) {choice}" for letter, choice in zip(LETTERS, choices, strict=False))


def written_trace(draw: random.Random, choices: list[str]) -> str:
    """A chain of thought of 3 to 14 sentences with an answer in one of the usual shapes."""
    words = {
        "noun": draw.choice(NOUNS), "other": draw.choice(NOUNS), "color": draw.choice(COLORS), "listed": _listed(choices)
    }  # fmt: skip
    thought = " ".join(draw.choice(SENTENCES).format(**words) for _ in range(draw.randrange(3, 15)))
    index = draw.randrange(len(choices))
    ending = draw.choices(ENDINGS, ENDING_WEIGHTS)[0]
    return f"<think> {thought} {ending.format(letter=LETTERS[index], text=choices[index], **words)}"


def written_questions(draw: random.Random) -> str:
    """A reply with one to four questions, tagged or as a list."""
    parts = []
    for number in range(1, draw.randrange(2, 6)):
        choices, noun = _choices(draw), draw.choice(NOUNS)
        letter = draw.choice(LETTERS[: len(choices)])
        if draw.random() < 0.8:
            parts.append(
                f"<question>Which one fits the {noun}?</question>\n<choices>{_listed(choices)}</choices>\n"
                f"<answer>({letter})</answer>\n<type>Recognition</type>"
            )
        else:
            lines = "\n".join(f"{mark}) {choice}" for mark, choice in zip(LETTERS, choices, strict=False))
            parts.append(f"**Question {number}:** Which one fits the {noun}?\n{lines}\n**Answer:** {letter}\n")
    return "\n\n".join(parts)


def recorded(folder: Path) -> tuple[list[tuple[str, list[str], str]], list[str]]:
    """Recorded traces (text, choices, prefix) and question writers' replies; none where there is no such folder."""
    if not folder.is_dir():
        return [], []
    lines = {
        path.stem: [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        for path in folder.glob("*.jsonl")
    }
    traces = [
        (text, line["choices_shown"], line.get("prefix", ""))
        for name in ("vlm_cots", "reasoner_expansions")
        for line in lines.get(name, [])
        for text in line["completions"]
    ]
    return traces, [line["response"] for line in lines.get("question_writer", [])]


def batch_of(
    seed: int, count: int, share: float, traces: list, replies: list[str]
) -> tuple[list[tuple[str, list[str], str]], list[str]]:
    """``count`` rows: traces to parse, and replies to parse."""
    draw = random.Random(seed)
    asked, written, own = [], [], []
    for number in range(count):
        own = own if number % TRACES_PER_QUESTION else _choices(draw)
        is_reply, is_recorded = draw.random() < share, draw.random() < 0.5
        if is_reply:
            text = draw.choice(replies) if is_recorded and replies else written_questions(draw)
        elif is_recorded and traces:
            text, choices, prefix = draw.choice(traces)
        else:
            choices, prefix = own, ""
            text = written_trace(draw, choices)
        for _ in range(draw.choice((0, 0, 1, 1, 2, 3))):
            text = draw.choice(MUTATIONS)(text, draw)
        written.append(text) if is_reply else asked.append((text, choices, prefix))
    return asked, written


def measure(rows: int, share: float, folder: Path) -> dict[str, object]:
    """Rows a second by the wall clock and by CPU time, of ours and of the floor, on the same rows in turns."""
    traces, replies = recorded(folder)
    wall, cpu, floor, verdicts, characters = 0.0, 0.0, 0.0, Counter(), 0
    for seed, at in enumerate(range(0, rows, BATCH)):
        asked, written = batch_of(seed, min(BATCH, rows - at), share, traces, replies)
        characters += sum(len(prefix) + len(text) for text, _, prefix in asked) + sum(map(len, written))
        started, worked = time.perf_counter(), time.process_time()
        parsed = [parse_trace(text, choices, prefix=prefix) for text, choices, prefix in asked]
        items = [parse_questions(text) for text in written]
        wall, cpu = wall + time.perf_counter() - started, cpu + time.process_time() - worked
        worked = time.process_time()
        for text, _, prefix in asked:
            FLOOR.match(prefix + text)
        for text in written:
            FLOOR.match(text)
        floor += time.process_time() - worked
        verdicts.update("parsed" if isinstance(trace, ParsedTrace) else trace.reason for trace in parsed)
        verdicts.update("questions" for reply in items for _ in reply)
    return {
        "rows": rows, "rows_per_s": round(rows / wall), "seconds": round(wall, 2), "rows_per_cpu_s": round(rows / cpu),
        "cpu_seconds": round(cpu, 2), "question_share": share, "recorded": bool(traces),
        "characters_per_row": round(characters / rows), "floor": "regex search for the last <answer>",
        "floor_rows_per_cpu_s": round(rows / floor), "ratio_to_floor": round(floor / cpu, 3), "verdicts": dict(verdicts),
    }  # fmt: skip


def main() -> None:
    """Print the figures; with --json as one object on one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--question-share", type=float, default=0.01)
    parser.add_argument("--reference", type=Path, default=REFERENCE, help="folder of recorded outputs; may be absent")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = measure(arguments.rows, arguments.question_share, arguments.reference)
    if arguments.json:
        print(json.dumps(figures))
        return
    print("\n".join(f"{name:22} {value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
