"""The tokenizer of the embedded model: byte-level BPE over its own grammar, a word or number to a token."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

SPECIAL_TOKENS = (
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>",
)  # fmt: skip
TAGS = tuple(f"<{slash}{name}>" for name in ("think", "answer", "question", "choices", "type") for slash in ("", "/"))
VOCABULARY_SIZE = 1088
# "(A)" is one token wherever it stands; so are "#1", "1)", "[50" and ", 30", which keep boxes short.
PATTERN = (
    r"\s(?=\([A-D]\))|\([A-D]\)| ?#\p{N}| ?\p{N}\)| ?\[\p{N}{1,3}|, \p{N}{1,3}| ?\p{N}{1,3}"
    r"| ?\p{L}+(?:-\p{L}+)*|\][;.]?|[\r\n]+| ?[^\s\p{L}\p{N}]|\s+"
)
# The template of Qwen2.5-VL.
CHAT_TEMPLATE = (
    "{% set image_count = namespace(value=0) %}{% set video_count = namespace(value=0) %}{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
    "{% endif %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}<|im_end|>\n"
    "{% else %}{% for content in message['content'] %}"
    "{% if content['type'] == 'image' or 'image' in content or 'image_url' in content %}"
    "{% set image_count.value = image_count.value + 1 %}"
    "{% if add_vision_id %}Picture {{ image_count.value }}: {% endif %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif content['type'] == 'video' or 'video' in content %}{% set video_count.value = video_count.value + 1 %}"
    "{% if add_vision_id %}Video {{ video_count.value }}: {% endif %}<|vision_start|><|video_pad|><|vision_end|>"
    "{% elif 'text' in content %}{{ content['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
OPENING = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
TURN = "<|im_end|>\n<|im_start|>assistant\n"


def _corpus(seed: int, count: int) -> Iterator[str]:
    from lgt_assets.embedded.referring import DIRECTIONS, PLURALS
    from lgt_assets.embedded.roles import ROLES, make_example
    from lgt_assets.embedded.scenes import COLORS, POSITIONS, SHAPES, SIZES, generate_scene
    from lgt_assets.embedded.wordings import NEITHER

    generator = random.Random(f"tokenizer-{seed}")
    for _ in range(count):
        for role in ROLES:
            example = make_example(role, generate_scene(generator.randrange(1 << 40)), generator)
            yield OPENING + example.user + TURN + example.prefix + example.reply
    # Rare spellings are repeated until they merge: answers without a blank before them, every coordinate and tally.
    values = (*COLORS, *SHAPES, *SIZES, *POSITIONS, *DIRECTIONS, *PLURALS.values(), NEITHER, "none", "cannot", "all")
    for value in values:
        yield f"{value}\n {value}\n" * 50
    for number in (*range(13), *range(0, 241, 10)):
        yield f" {number} x [{number}, {number} x, {number}\n{number}\n" * 50


def build_tokenizer(seed: int, count: int = 800) -> PreTrainedTokenizerFast:
    """The tokenizer trained on ``count`` examples of each role; the same seed gives the same vocabulary."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE - len(TAGS),
        min_frequency=2,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_corpus(seed, count), trainer)
    tokenizer.add_tokens([AddedToken(tag, special=False, normalized=False) for tag in TAGS])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        model_max_length=2048,
        extra_special_tokens={
            "image_token": "<|image_pad|>",
            "video_token": "<|video_pad|>",
            "vision_bos_token": "<|vision_start|>",
            "vision_eos_token": "<|vision_end|>",
        },
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


def load_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """The tokenizer saved in a folder."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast.from_pretrained(folder)
