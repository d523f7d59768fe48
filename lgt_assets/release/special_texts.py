"""Texts that a trainer would read as something other than text, so that rows with them enter no release.

**Placeholders** stand for a picture, film, sound or box. LLaMA-Factory, verl and EasyR1 count ``<image>``, ``<video>`` and
``<audio>`` against the row's media and drop rows where they disagree; ms-swift reads more (``<bbox>``, ``<ref-object>``,
``<start-image>``, ``<cot-process>``, ``<img>path</img>``); TRL trains on the literal without a word.

**Special tokens** are what chat models build turns, pictures and calls of tools from. A tokenizer finds them within content as
well: ``<|im_end|>`` in a thought teaches the model to stop there, ``<|image_pad|>`` shifts every picture after it, and in a
question it lets a text speak as another role. Which ones:

- ``<|…|>`` of Qwen, Llama 3, Phi, GLM and Kimi, ``<|…>`` and ``<…|>`` of Gemma 4, ``<｜…｜>`` of DeepSeek: any, for the next
  model has new ones;
- ``<tool_call>`` and ``<tool_response>``, opened and closed: tokens of Qwen2.5's vocabulary, from which servers cut calls out;
- the named ones of Llama 2, Mistral and Pixtral, Gemma 2 and 3, PaliGemma, InternVL, MiniCPM-V, Idefics and SmolVLM, GLM, Kimi.

``<think>`` and ``<answer>`` are no such texts: they are the form that all traces share.

All are compared exactly, case included, as tokenizers and trainers do.
"""

import polars as pl

PLACEHOLDER_IN_TEXT, SPECIAL_TOKEN_IN_TEXT = "placeholder_in_text", "special_token_in_text"
SPECIAL_TEXT_REASONS = (PLACEHOLDER_IN_TEXT, SPECIAL_TOKEN_IN_TEXT)
PLACEHOLDERS = (
    "<image>", "<video>", "<audio>",
    "<bbox>", "<ref-object>", "<start-image>", "<cot-process>", "<img>", "</img>",
)  # fmt: skip
SPECIAL_TOKENS = (
    "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>",
    "<s>", "</s>", "<unk>", "<pad>", "<bos>", "<eos>", "<mask>",
    "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[THINK]", "[/THINK]",
    "[IMG]", "[IMG_BREAK]", "[IMG_END]", "[AUDIO]", "[BEGIN_AUDIO]",
    "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_CALLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]", "[TOOL_CONTENT]",
    "[CALL_ID]", "[ARGS]",
    "<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<end_of_image>", "<image_soft_token>",
    "<IMG_CONTEXT>", "<box>", "</box>", "<ref>", "</ref>", "<quad>", "</quad>",
    "<image_id>", "</image_id>", "<slice>", "</slice>", "<unit>", "</unit>", "<point>", "</point>",
    "<fake_token_around_image>", "<global-img>", "<end_of_utterance>",
    "[gMASK]", "[sMASK]", "[MASK]", "<sop>", "<eop>",
    "[BOS]", "[EOS]", "[EOT]", "[PAD]", "[UNK]",
)  # fmt: skip
# A name between the marks: no space, so that "|x| < |y|" is none.
_NAME = r"[^<>|｜\s]+"
_FAMILIES = (
    rf"<\|{_NAME}\|?>", rf"<{_NAME}\|>", rf"<｜{_NAME}｜>",
    r"<unused\d+>", r"<loc\d+>", r"<seg\d+>", r"<row_\d+_col_\d+>",
)  # fmt: skip


def _any_of(literals: tuple[str, ...], patterns: tuple[str, ...] = ()) -> str:
    return "|".join([*map(_escaped, literals), *patterns])


def _escaped(literal: str) -> str:
    """``literal`` for Rust's regular expressions; ``re.escape`` escapes ``<`` and ``-``, which Rust takes for other things."""
    return "".join(f"\\{character}" if character in "[]|" else character for character in literal)


_PLACEHOLDER = _any_of(PLACEHOLDERS)
_SPECIAL_TOKEN = _any_of(SPECIAL_TOKENS, _FAMILIES)


def message_text(messages: pl.Expr) -> pl.Expr:
    """All contents of a list of messages (structs of role and content) in one string, a line end between two of them."""
    return messages.list.eval(pl.element().struct.field("content")).list.join("\n")


def special_text(text: pl.Expr) -> pl.Expr:
    """Whether ``text`` (strings) holds a placeholder or a special token; null for null. In Rust, linear in the text.

    For messages: ``special_text(message_text(pl.col("messages")))``.
    """
    return text.str.contains(f"{_PLACEHOLDER}|{_SPECIAL_TOKEN}")


def special_text_reason(*texts: pl.Expr) -> pl.Expr:
    """The reason for which a row of these texts is left out; null for a row that may stay.

    A placeholder comes first: it also makes a row's pictures disagree with its text. Nulls among ``texts`` say nothing.

    Example:
        >>> frame.with_columns(reason=special_text_reason(message_text(pl.col("prompt")), pl.col("chosen")))
    """
    return (
        pl.when(pl.any_horizontal(text.str.contains(_PLACEHOLDER) for text in texts))
        .then(pl.lit(PLACEHOLDER_IN_TEXT))
        .when(pl.any_horizontal(text.str.contains(_SPECIAL_TOKEN) for text in texts))
        .then(pl.lit(SPECIAL_TOKEN_IN_TEXT))
    )
