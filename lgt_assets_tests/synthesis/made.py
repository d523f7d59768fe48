"""Completions and tables that the tests of the stages share; what models would write is written by hand."""

from collections.abc import Callable

import polars as pl

from lgt_assets.engines.base import Completion
from lgt_assets.identity import digest
from lgt_assets.prompts.templates import PROMPTS_FOLDER, PromptSet
from lgt_assets.schemas import frame
from lgt_assets.settings import Profile
from lgt_assets.synthesis.planned import Answered, Planned
from lgt_assets_tests.rows import image_row, object_row, question_row

PROMPTS = PromptSet(PROMPTS_FOLDER / "lgt")
LETTERS = "ABCDEFGHIJ"


def profile(**changes: dict) -> Profile:
    """A profile of one model for every role; ``changes`` are sections of it."""
    roles = ("questioner", "composer", "vlm", "reasoner", "verifier")
    return Profile.model_validate({
        "name": "made", "prompts": "lgt",
        "models": {"small": {"engine": "hf_transformers", "model": "embedded"}},
        "roles": {role: {"model": "small"} for role in roles},
        **changes,
    })  # fmt: skip


def pictures(count: int = 2, objects: int = 3) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Tables of ``count`` pictures with ``objects`` objects each."""
    images = [image_row(number, caption=f"Caption {number}: balls on grass.") for number in range(count)]
    rows = [
        object_row(image, number, ordinal=index * objects + number, phrase=f"ball {number}", x1=30.0 + number)
        for index, image in enumerate(images)
        for number in range(objects)
    ]
    return frame("images", images), frame("grounded_objects", rows)


def seed_questions(images: pl.DataFrame, objects: pl.DataFrame, rows: list[dict]) -> pl.DataFrame:
    """Seed questions of the first picture; each row says what differs, with ``about`` the numbers of its objects."""
    image = images.row(0, named=True)
    own = [row for row in objects.to_dicts() if row["image_id"] == image["image_id"]]
    made = []
    for number, changes in enumerate(rows):
        changes = dict(changes)
        about = [own[index] for index in changes.pop("about", [number % len(own)])]
        made.append(question_row(image, about, number, **({"question": f"What is thing {number}?"} | changes)))
    return frame("seed_questions", made)


def answer(planned: list[Planned], write: Callable[[Planned], str], finish_reason: str = "stop") -> list[Answered]:
    """Each request answered by what ``write`` makes of it."""
    answered = []
    for item in planned:
        request = item.request
        key = digest([m.text for m in request.messages], request.prefix, request.seed, request.sample_index)
        answered.append(Answered(key, Completion(key, write(item), finish_reason), item.context))
    return answered


def written_question(question: str, choices: list[str], key: int, question_type: str = "Recognition") -> str:
    """A question in the writers' tags."""
    listed = " ".join(f"({LETTERS[index]}) {choice}" for index, choice in enumerate(choices))
    key_and_type = f"<answer>({LETTERS[key]})</answer><type>{question_type}</type>"
    return f"<question>{question}</question><choices>{listed}</choices>{key_and_type}"


def written_trace(thought: str, index: int) -> str:
    """A thought and a letter in the VLM's tags."""
    return f"<think> {thought} </think><answer>({LETTERS[index]})</answer>"
