"""Pandera models of the assets' tables. Models validate eager frames only: a LazyFrame skips the data checks silently."""

import pandera.polars as pa
import polars as pl
from pandera.polars import Field

from lgt_assets.row_model import (
    ANSWER_FORMATS,
    BEHAVIOURS,
    COMPOSITION_KINDS,
    DIFFICULTIES,
    FOCUSES,
    JUDGED_BEHAVIOURS,
    KEY_PATTERN,
    MESSAGES,
    PAIR_KINDS,
    PROMPT_FORMS,
    RECIPES,
    STRINGS,
    TRANSITIONS,
    VERIFICATIONS,
    VOTES,
    Rows,
)


class Images(Rows):
    """One picture with its dense caption."""

    image_id: str = Field(unique=True, str_startswith="i.", description="Key: i.<shard>.<first 16 hex of the sha256>.")
    source: str = Field(description="Name of the source that the picture came with.")
    uri: str = Field(description="Where the picture's file lies, never rewritten; with LGT_STORE, its copy there.")
    sha256: str = Field(unique=True, str_matches=KEY_PATTERN, description="sha256 of the file's bytes.")
    external_id: str = Field(nullable=True, description="The id that the source gave the picture.")
    width: int = Field(gt=0, description="Width in pixels as shown: EXIF's orientation is applied.")
    height: int = Field(gt=0, description="Height in pixels as shown.")
    caption: str = Field(str_length={"min_value": 1}, description="Dense caption.")
    caption_source: str = Field(description="Who wrote the caption: human, rendered, or a model's name.")
    request_key: str = Field(
        nullable=True,
        str_matches=KEY_PATTERN,
        description="Completion that a generated caption was parsed from; else null.",
    )
    license: str = Field(description="Licence of the picture.")
    attribution: str = Field(nullable=True, description="Credit that the licence asks for.")
    split: str = Field(
        isin=["train", "validation"], description="From the sha256 alone: a picture never crosses splits."
    )


class GroundedObjects(Rows):
    """One labelled box in a picture."""

    object_id: str = Field(unique=True, str_startswith="g.", description="Key.")
    image_id: str = Field(description="Picture the box lies in.")
    label: str = Field(str_length={"min_value": 1}, description="Class name.")
    phrase: str = Field(str_length={"min_value": 1}, description="The words of the caption that the box grounds.")
    x0: float = Field(ge=0, description="Left edge in pixels of the picture as shown.")
    y0: float = Field(ge=0, description="Top edge in pixels.")
    x1: float = Field(gt=0, description="Right edge in pixels.")
    y1: float = Field(gt=0, description="Bottom edge in pixels.")
    score: float = Field(ge=0, le=1, description="Detector's confidence; 1 for boxes that came with the source.")
    box_source: str = Field(description="Who drew the box: human, rendered, or a detector's name.")
    request_key: str = Field(
        nullable=True,
        str_matches=KEY_PATTERN,
        description="Detection that the box was found in; null for a source's own.",
    )

    @pa.dataframe_check(description="x0 < x1 and y0 < y1")
    def box_has_area(cls, data: pa.PolarsData) -> pl.LazyFrame:
        """A box without area grounds nothing."""
        return data.lazyframe.select((pl.col("x0") < pl.col("x1")) & (pl.col("y0") < pl.col("y1")))


class Questions(Rows):
    """What seed and composed questions share."""

    question_id: str = Field(unique=True, description="Key.")
    image_id: str = Field(description="Picture the question is about.")
    object_ids: STRINGS = Field(description="Objects the question is about.")
    question: str = Field(str_length={"min_value": 1}, description="The question, without its choices.")
    choices: STRINGS = Field(description="Choices in the question's own order, shuffled by the question's seed.")
    answer_index: int = Field(ge=0, description="Index of the right choice.")
    question_type: str = Field(str_length={"min_value": 1}, description="Type that the writer named.")
    hops: int = Field(ge=1, description="Questions it takes to answer this one.")
    request_key: str = Field(str_matches=KEY_PATTERN, description="Completion the question was parsed from.")
    blindness: float = Field(
        ge=0, le=1, nullable=True, description="Share of verifier votes right from the question alone."
    )
    votes: VOTES = Field(
        description="Every verifier vote: check, parent withheld, completion, chosen index (null: none), right or not."
    )

    @pa.dataframe_check(description="answer_index points at a choice")
    def answer_is_a_choice(cls, data: pa.PolarsData) -> pl.LazyFrame:
        """The key must exist."""
        return data.lazyframe.select(pl.col("answer_index") < pl.col("choices").list.len())

    @pa.dataframe_check(description="two or more choices, all distinct")
    def choices_are_distinct(cls, data: pa.PolarsData) -> pl.LazyFrame:
        """Two equal choices make the key ambiguous."""
        count = pl.col("choices").list.len()
        return data.lazyframe.select((count >= 2) & (pl.col("choices").list.n_unique() == count))


class SeedQuestions(Questions):
    """Stage 1: one question about one or a few objects, written from caption and boxes."""

    question_id: str = Field(unique=True, str_startswith="q.", description="Key.")
    hops: int = Field(eq=1, description="Always 1.")
    focus: str = Field(isin=FOCUSES, description="What the writer was asked to ask about; its objects are object_ids.")
    key_agreement: float = Field(
        ge=0, le=1, nullable=True, description="Share of verifier votes, from caption and boxes, that name the key."
    )


class ComposedQuestions(Questions):
    """Stage 2: one harder question made of two or more seed questions of one picture."""

    question_id: str = Field(unique=True, str_startswith="c.", description="Key.")
    hops: int = Field(ge=2, description="Number of parent questions.")
    parent_question_ids: STRINGS = Field(description="Seed questions it was composed of (two or more).")
    composition_kind: str = Field(isin=COMPOSITION_KINDS, description="How the parents are joined.")
    support: float = Field(
        ge=0,
        le=1,
        nullable=True,
        description="Share of verifier votes right from the caption and the parents' answers.",
    )
    necessity: float = Field(
        ge=0, le=1, nullable=True, description="1 - share of votes right without a parent; the lowest."
    )
    hardness: float = Field(
        ge=-1, le=1, nullable=True, description="Parents' mean VLM pass rate minus this question's."
    )

    @pa.dataframe_check(description="two or more parents")
    def has_parents(cls, data: pa.PolarsData) -> pl.LazyFrame:
        """A composition of one is no composition."""
        return data.lazyframe.select(pl.col("parent_question_ids").list.len() >= 2)


class DistilledCots(Rows):
    """One chain of thought sampled from the VLM."""

    cot_id: str = Field(unique=True, str_startswith="d.", description="Key.")
    question_id: str = Field(description="Seed or composed question.")
    image_id: str = Field(description="Picture.")
    sample_index: int = Field(ge=0, description="Which of the question's samples.")
    choices_shown: STRINGS = Field(description="Choices in the order shown; the same for all samples of a question.")
    right_index: int = Field(ge=0, description="Index of the right choice as shown.")
    answer_format: str = Field(
        isin=ANSWER_FORMATS, description="Form of answer asked for, drawn from the question's seed."
    )
    thought: str = Field(str_length={"min_value": 1}, description="Text between the think tags.")
    answer: str = Field(description="Text between the answer tags.")
    answer_index: int = Field(ge=0, description="Choice that the answer names, as shown.")
    is_correct: bool = Field(description="answer_index == right_index.")
    behaviours: BEHAVIOURS = Field(
        description="Sentences of the thought that show a reasoning behaviour, by documented cues."
    )
    request_key: str = Field(str_matches=KEY_PATTERN, description="Completion it was parsed from.")


class ExpandedTraces(Rows):
    """A simple chain of thought that the reasoning model continued after a cue."""

    trace_id: str = Field(unique=True, str_startswith="e.", description="Key.")
    cot_id: str = Field(description="The simple chain of thought that was continued; its text is kept exactly.")
    question_id: str = Field(description="Seed or composed question.")
    image_id: str = Field(description="Picture.")
    cue: str = Field(description="Words after which the reasoner went on.")
    sample_index: int = Field(ge=0, description="Which of the samples of this chain and cue.")
    thought: str = Field(str_length={"min_value": 1}, description="Simple thought, cue and added thought.")
    added_thought: str = Field(str_length={"min_value": 1}, description="What the reasoner added after the cue.")
    answer: str = Field(description="Text between the answer tags.")
    answer_index: int = Field(ge=0, description="Choice that the answer names, as shown.")
    is_correct: bool = Field(description="Whether the expanded trace ends right.")
    transition: str = Field(isin=TRANSITIONS, description="Simple then expanded answer: O right, X wrong.")
    behaviours: BEHAVIOURS = Field(
        description="Sentences of the thought that show a reasoning behaviour, by documented cues."
    )
    judged_behaviours: JUDGED_BEHAVIOURS = Field(
        nullable=True,
        description="Which behaviours the verifier sees in it, on a sample; null behaviours: its reply could not be read.",
    )
    consistency: float = Field(
        ge=0, le=1, nullable=True, description="Share of verifier votes that read the answer given out of the thought."
    )
    votes: VOTES = Field(description="Those votes; correct: the thought comes to the answer given.")
    request_key: str = Field(str_matches=KEY_PATTERN, description="Completion it was parsed from.")


class PreferencePairs(Rows):
    """Two traces of one question as shown, one preferred."""

    pair_id: str = Field(unique=True, str_startswith="p.", description="Key.")
    question_id: str = Field(description="Seed or composed question.")
    image_id: str = Field(description="Picture.")
    stage: int = Field(isin=[1, 2], description="1: seed question, 2: composed question.")
    kind: str = Field(isin=PAIR_KINDS, description="Kind of pair (LongPerceptualThoughts).")
    prompt: MESSAGES = Field(description="User turn, shared by both.")
    images: STRINGS = Field(description="image_ids shown, in order.")
    chosen: str = Field(str_length={"min_value": 1}, description="Preferred assistant turn.")
    rejected: str = Field(str_length={"min_value": 1}, description="Other assistant turn.")
    chosen_id: str = Field(description="cot_id or trace_id of the preferred.")
    rejected_id: str = Field(description="cot_id or trace_id of the other.")
    chosen_characters: int = Field(gt=0, description="Length of chosen.")
    rejected_characters: int = Field(gt=0, description="Length of rejected.")

    @pa.dataframe_check(description="chosen and rejected differ in more than whitespace")
    def turns_differ(cls, data: pa.PolarsData) -> pl.LazyFrame:
        """Equal turns teach nothing."""
        chosen, rejected = (pl.col(name).str.replace_all(r"\s+", "") for name in ("chosen", "rejected"))
        return data.lazyframe.select(chosen != rejected)


class SftMix(Rows):
    """One supervised example."""

    example_id: str = Field(unique=True, str_startswith="s.", description="Key.")
    question_id: str = Field(description="Seed or composed question.")
    image_id: str = Field(description="Picture.")
    stage: int = Field(isin=[1, 2], description="1: seed question, 2: composed question.")
    recipe: str = Field(isin=RECIPES, description="direct: no thought; simple: the VLM's; long: the expanded.")
    messages: MESSAGES = Field(description="User and assistant turn.")
    images: STRINGS = Field(description="image_ids shown, in order.")
    origin_id: str = Field(description="Row it was made from: question_id, cot_id or trace_id.")


class RlPrompts(Rows):
    """A question with a verifiable answer and its difficulty; at most one row of each form for a question."""

    prompt_id: str = Field(unique=True, str_startswith="r.", description="Key.")
    question_id: str = Field(description="Seed or composed question.")
    image_id: str = Field(description="Picture.")
    stage: int = Field(isin=[1, 2], description="1: seed question, 2: composed question.")
    form: str = Field(isin=PROMPT_FORMS, description="choice: asked with its choices; open: without them.")
    messages: MESSAGES = Field(description="User turn.")
    images: STRINGS = Field(description="image_ids shown, in order.")
    choices_shown: STRINGS = Field(description="Choices in the order shown; none in the open form.")
    verification: str = Field(isin=VERIFICATIONS, description="How an answer is compared with ground_truth.")
    ground_truth: str = Field(
        str_length={"min_value": 1}, description="Letter of the right choice as shown; in the open form its text."
    )
    answer_text: str = Field(description="Text of the right choice.")
    pass_rate: float = Field(ge=0, le=1, description="Share of the VLM's parsed samples, with choices, that are right.")
    pass_rate_low: float = Field(ge=0, le=1, description="Lower end of its Wilson interval (z = 1.96).")
    pass_rate_high: float = Field(ge=0, le=1, description="Upper end of its Wilson interval (z = 1.96).")
    samples: int = Field(ge=1, description="Samples that the pass rate is taken over.")
    difficulty: str = Field(isin=DIFFICULTIES, description="Band of the pass rate, see synthesis.rl.difficulty_of.")

    @pa.dataframe_check(description="a letter verifies the choice form, and nothing else does")
    def verification_fits_form(cls, data: pa.PolarsData) -> pl.LazyFrame:
        """Without choices a letter means nothing."""
        choice, letter = pl.col("form") == "choice", pl.col("verification") == "letter"
        truth = pl.col("ground_truth").str.contains(r"^[A-Z]$")
        shown = pl.col("choices_shown").list.len() > 0
        return data.lazyframe.select((choice == letter) & (choice == shown) & (truth | ~choice))

    @pa.dataframe_check(description="one row of a form for a question")
    def question_once_per_form(cls, data: pa.PolarsData) -> pl.LazyFrame:
        """The same prompt twice weighs twice."""
        return data.lazyframe.select(pl.struct("question_id", "form").is_unique())
