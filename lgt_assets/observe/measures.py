"""What is measured and plotted of each table: the one place to add a number or a plot."""

from string import ascii_uppercase as ALPHABET

import polars as pl
from polars import col

from lgt_assets.observe.tallies import Bars, Histogram, Mean, Measures
from lgt_assets.row_model import (
    COMPOSITION_KINDS,
    DIFFICULTIES,
    FOCUSES,
    PAIR_KINDS,
    PROMPT_FORMS,
    RECIPES,
    TRANSITIONS,
    VERIFICATIONS,
)

LETTERS = ("A", "B", "C", "D")
BEHAVIOURS = {"subgoal_setting": "subgoals", "backtracking": "backtracks", "verification": "verifies"}


def _characters(name: str) -> pl.Expr:
    return col(name).str.len_chars()


def _letter(name: str) -> pl.Expr:
    """An answer's index as its letter."""
    return col(name).replace_strict(range(len(ALPHABET)), list(ALPHABET), default="past Z", return_dtype=pl.String)


def _last_turn() -> pl.Expr:
    return col("messages").list.last().struct.field("content").str.len_chars()


_OF_COMPOSED = col("question_id").str.starts_with("c.")
_BY_STAGE = pl.when(_OF_COMPOSED).then(pl.lit("stage 2, composed")).otherwise(pl.lit("stage 1, seed"))
_STAGE = pl.when(col("stage") == 2).then(pl.lit("stage 2, composed")).otherwise(pl.lit("stage 1, seed"))
_BEHAVIOUR_SHARES = tuple(Mean(f"share_with_{name}", col("behaviours").struct.field(name) > 0) for name in BEHAVIOURS)
_BEHAVIOURS_SHOWN = Bars(
    "behaviours in a thought",
    pl.concat_str(
        [pl.when(col("behaviours").struct.field(name) > 0).then(pl.lit(word)) for name, word in BEHAVIOURS.items()],
        separator=" + ", ignore_nulls=True,
    ).replace({"": "none", " + ".join(BEHAVIOURS.values()): "all three"}),
)  # fmt: skip
_QUESTION_MEANS = (
    Mean("mean_question_characters", _characters("question")), Mean("mean_choices", col("choices").list.len()),
    Mean("mean_objects", col("object_ids").list.len()), Mean("mean_blindness", col("blindness")),
)  # fmt: skip
_QUESTION_PLOTS = (
    Bars("question types", col("question_type")), Bars("position of the right answer", _letter("answer_index"), LETTERS),
    Histogram("characters of a question", _characters("question")),
    Histogram("blindness: right from the question alone", col("blindness"), is_share=True),
)  # fmt: skip

MEASURES: dict[str, Measures] = {
    "images": Measures(
        (
            Mean("mean_caption_characters", _characters("caption")),
            Mean("mean_megapixels", col("width") * col("height") / 1e6),
            Mean("share_in_validation", col("split") == "validation"),
            Mean("share_of_captions_generated", col("request_key").is_not_null()),
        ),
        (
            Histogram("characters of a caption", _characters("caption")),
            Histogram("longer side in pixels", pl.max_horizontal("width", "height")),
            Bars("caption by", col("caption_source")),
            Bars("split", col("split"), ("train", "validation")),
        ),
    ),
    "grounded_objects": Measures(
        (
            Mean("share_detected", col("request_key").is_not_null()),
            Mean("mean_score", col("score")), Mean("mean_phrase_characters", _characters("phrase")),
            Mean("mean_box_width_pixels", col("x1") - col("x0")), Mean("mean_box_height_pixels", col("y1") - col("y0")),
        ),
        (
            Bars("labels", col("label")),
            Bars("boxes by", col("box_source")),
            Histogram("longer side of a box in pixels", pl.max_horizontal(col("x1") - col("x0"), col("y1") - col("y0"))),
        ),
    ),
    "seed_questions": Measures(
        (*_QUESTION_MEANS, Mean("mean_key_agreement", col("key_agreement"))),
        (
            *_QUESTION_PLOTS,
            Bars("what the question is about", col("focus"), FOCUSES),
            Histogram("votes that agree with the key", col("key_agreement"), is_share=True),
        ),
    ),
    "composed_questions": Measures(
        (
            *_QUESTION_MEANS, Mean("mean_hops", col("hops")), Mean("mean_support", col("support")),
            Mean("mean_necessity", col("necessity")), Mean("mean_hardness", col("hardness")),
        ),
        (
            *_QUESTION_PLOTS,
            Bars("how parents are joined", col("composition_kind"), COMPOSITION_KINDS),
            Histogram("support", col("support"), is_share=True),
            Histogram("necessity", col("necessity"), is_share=True),
            Histogram("hardness: parents' pass rate minus its own", col("hardness"), is_share=True, lowest=-1.0),
        ),
    ),
    "distilled_cots": Measures(
        (
            Mean("share_right", col("is_correct")), Mean("mean_thought_characters", _characters("thought")),
            Mean("share_right_seed_questions", pl.when(~_OF_COMPOSED).then(col("is_correct"))),
            Mean("share_right_composed_questions", pl.when(_OF_COMPOSED).then(col("is_correct"))),
            *_BEHAVIOUR_SHARES,
        ),
        (
            Histogram("characters of a thought", _characters("thought"), _BY_STAGE),
            Bars("position of the answer given", _letter("answer_index"), LETTERS),
            Bars("position of the right answer", _letter("right_index"), LETTERS),
            Bars("answer", pl.when("is_correct").then(pl.lit("right")).otherwise(pl.lit("wrong")), ("right", "wrong")),
            _BEHAVIOURS_SHOWN,
        ),
    ),
    "expanded_traces": Measures(
        (
            Mean("share_right", col("is_correct")), Mean("mean_thought_characters", _characters("thought")),
            Mean("mean_added_characters", _characters("added_thought")), Mean("mean_consistency", col("consistency")),
            *(Mean(f"share_{name}", col("transition") == name) for name in TRANSITIONS),
            *_BEHAVIOUR_SHARES,
        ),
        (
            Histogram("characters of a thought", _characters("thought"), _BY_STAGE),
            Histogram("characters that the reasoner added", _characters("added_thought"), _BY_STAGE),
            Bars("answer before and after (O right, X wrong)", col("transition"), TRANSITIONS),
            Bars("cues", col("cue")),
            _BEHAVIOURS_SHOWN,
            Histogram("votes that find the answer in the thought", col("consistency"), is_share=True),
        ),
    ),
    "preference_pairs": Measures(
        (
            Mean("mean_chosen_characters", col("chosen_characters")),
            Mean("mean_rejected_characters", col("rejected_characters")),
            Mean("share_chosen_longer", col("chosen_characters") > col("rejected_characters")),
            Mean("share_of_composed_questions", col("stage") == 2),
        ),
        (
            Bars("kinds of pair", col("kind"), PAIR_KINDS),
            Histogram("characters chosen", col("chosen_characters"), _STAGE),
            Histogram("characters rejected", col("rejected_characters"), _STAGE),
            Histogram("share of the pair's characters in chosen", col("chosen_characters")
                      / (col("chosen_characters") + col("rejected_characters")), is_share=True),
        ),
    ),
    "sft_mix": Measures(
        (
            Mean("mean_answer_characters", _last_turn()), Mean("share_of_composed_questions", col("stage") == 2),
            *(Mean(f"share_{name}", col("recipe") == name) for name in RECIPES),
        ),
        (
            Bars("recipes", col("recipe"), RECIPES),
            Histogram("characters of the assistant's turn", _last_turn(), col("recipe")),
            Histogram("the same turn, by stage", _last_turn(), _STAGE),
        ),
    ),
    "rl_prompts": Measures(
        (
            Mean("mean_pass_rate", col("pass_rate")), Mean("mean_samples", col("samples")),
            Mean("share_open", col("form") == "open"), Mean("share_of_composed_questions", col("stage") == 2),
            Mean("share_neither_solved_nor_unsolved", ~col("difficulty").is_in(["solved", "unsolved"])),
        ),
        (
            Histogram("pass rate", col("pass_rate"), _STAGE, is_share=True),
            Bars("difficulty", col("difficulty"), DIFFICULTIES),
            Bars("form", col("form"), PROMPT_FORMS),
            Bars("verified by", col("verification"), VERIFICATIONS),
        ),
    ),
}  # fmt: skip
