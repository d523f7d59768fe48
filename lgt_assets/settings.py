"""Profiles: which model plays which role, how it samples, and how much of everything is made."""

import os
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from lgt_assets.engines.base import Sampling
from lgt_assets.engines.settings import DETECTING_ENGINES, EngineSettings
from lgt_assets.errors import SettingsError, wrong_fields
from lgt_assets.post_training_settings import PostTrainingSettings
from lgt_assets.settings_base import OTHER_SCRIPT, Language, Settings, Share
from lgt_assets.source_settings import CaptionSettings, DetectSettings
from lgt_assets.state import state_folder as state_folder

# As safe as yaml.safe_load, five times as fast: loading the code location reads a profile for every asset with prompts.
FAST_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
PROFILES_FOLDER = Path(__file__).parent / "profiles"
DEFAULT_PROFILE = "embedded"
Role = Literal["questioner", "composer", "vlm", "reasoner", "verifier", "captioner", "detector"]
FocusSize = Annotated[int, Field(ge=0)] | Literal["region"]


class SamplingSettings(Settings):
    """How a role samples; see :class:`lgt_assets.engines.base.Sampling`."""

    temperature: float = Field(0.0, ge=0, le=2)
    top_p: float = Field(1.0, gt=0, le=1)
    top_k: int = Field(0, ge=0)
    max_tokens: int = Field(512, gt=0)
    stop: tuple[str, ...] = ()
    include_stop: bool = False
    bad_words: tuple[str, ...] = ()

    def sampling(self) -> Sampling:
        """The same as the engines take it."""
        return Sampling(**self.model_dump())


class RoleSettings(Settings):
    """A role's model (a name under ``models``) and sampling, which the detector has no use for."""

    model: str
    sampling: SamplingSettings = SamplingSettings()


class QuestionSettings(Settings):
    """Stage 1."""

    per_image: int = Field(6, gt=0, description="Requests per picture.")
    types: tuple[str, ...] = Field(("Recognition", "Counting", "Spatial", "Comparison"), min_length=1)
    focus_sizes: tuple[FocusSize, ...] = Field(
        (1, 2, "region", 0),
        min_length=1,
        description="Objects in focus; region: those in one part; 0: the whole scene.",
    )
    focus_sizes_by_type: dict[str, tuple[FocusSize, ...]] = Field({}, description="Where a type has its own.")
    near_duplicate_similarity: Share | None = Field(
        0.8, description="From which on two questions of a picture are one, see synthesis.near_duplicates; null: off."
    )
    maximum_type_share: float = Field(
        0.5, gt=0, le=1, description="Share of one type among a picture's accepted questions, rounded up; 1: off."
    )
    key_votes: int = Field(1, ge=0, description="Verifier votes from caption and boxes; 0: off.")
    blindness_votes: int = Field(4, ge=0, description="Verifier votes from the question alone; 0: off.")
    minimum_key_agreement: Share = Field(0.5, description="Share of votes that name the key, at least.")
    maximum_blindness: Share = Field(0.75, description="Share of blind votes that are right, at most.")

    @model_validator(mode="after")
    def _quota_leaves_room(self) -> "QuestionSettings":
        if self.maximum_type_share * len(self.types) < 1:
            raise ValueError(
                f"maximum_type_share {self.maximum_type_share} of {len(self.types)} types cannot add up to all questions"
            )
        return self

    def sizes(self, question_type: str) -> tuple[FocusSize, ...]:
        """Focuses that a question of this type may have."""
        return self.focus_sizes_by_type.get(question_type) or self.focus_sizes


class ComposeSettings(Settings):
    """Stage 2. A check with 0 votes is off."""

    per_image: int = Field(2, ge=0, description="Compositions asked for per picture.")
    parents: int = Field(2, ge=2, le=4, description="Parents of one composition, at most.")
    kinds_from: Literal["answers", "scene_grammar"] = Field(
        "answers",
        description="Rule for the kinds that parents allow: by types and answers, or what the embedded model knows.",
    )
    support_votes: int = Field(1, ge=0, description="Votes from the caption and the parents' answers.")
    necessity_votes: int = Field(4, ge=0, description="For each parent, votes from the others' answers alone.")
    blindness_votes: int = Field(4, ge=0, description="Votes from the question alone.")
    measure_hardness: bool = Field(True, description="Ask the VLM now what distilled_cots would ask later.")
    minimum_support: Share = Field(0.5, description="Share of votes that are right, at least.")
    minimum_necessity: Share = Field(0.25, description="Share of votes that are wrong without a parent, at least.")
    maximum_blindness: Share = Field(0.75, description="Share of votes that are right, at most.")
    minimum_hardness: float | None = Field(
        None, ge=-1, le=1, description="Pass rate of the parents less the question's own, at least; null: not filtered."
    )

    @model_validator(mode="after")
    def _hardness_is_measured(self) -> "ComposeSettings":
        if self.minimum_hardness is not None and not self.measure_hardness:
            raise ValueError("minimum_hardness needs measure_hardness: true")
        return self


class DistillSettings(Settings):
    """Chains of thought from the VLM."""

    samples: int = Field(10, gt=0, description="Samples per question.")
    answer_formats: tuple[Literal["letter", "letter_text"], ...] = ("letter", "letter_text")
    language: Language = Field("english", description="Language of the thoughts; any: not looked at.")
    maximum_other_script: Share = Field(0.002, description=OTHER_SCRIPT)


class ExpandSettings(Settings):
    """Continuations by the reasoning model."""

    cues: tuple[str, ...] = Field(("Wait,", "Hmm,", "Alternatively,", "Let's double-check the details."), min_length=1)
    chains_per_question: int = Field(
        2, gt=0, description="Simple chains continued per question: right and wrong ones first."
    )
    samples: int = Field(3, gt=0, description="Continuations per chain; each draws its cue.")
    samples_of_wrong: int | None = Field(
        None,
        gt=0,
        description="Of a wrong chain, where that differs: XO > XX pairs need one that mends it and one that does not.",
    )
    minimum_added_characters: int = Field(20, ge=0)
    language: Language = Field("english", description="Language of what is added; any: not looked at.")
    maximum_other_script: Share = Field(0.002, description=OTHER_SCRIPT)
    consistency_votes: int = Field(1, ge=0, description="Verifier votes on what a thought comes to; 0: none.")
    minimum_consistency: Share = Field(0.5, description="Share of those votes that name the answer given, at least.")
    behaviour_sample: int = Field(32, ge=0, description="Traces per shard whose behaviours the verifier judges too.")


class PairSettings(Settings):
    """Preference pairs."""

    per_question_and_kind: int = Field(1, gt=0)
    compactness_ratio: float = Field(1.5, ge=1, description="Rejected at least this much longer, in characters.")


class MixSettings(Settings):
    """Supervised examples."""

    per_question_and_recipe: int = Field(2, gt=0, description="Drawn by rank of length, weight 0.5**rank.")


class RlSettings(Settings):
    """Prompts for reinforcement learning."""

    open_form: bool = Field(True, description="Also ask questions that stand without their choices, and without them.")
    open_answer_words: int = Field(3, gt=0, description="Words of an open answer, at most.")


class CheckSettings(Settings):
    """From when on Dagit warns about a shard; see docs/checks.md. Shards with too few rows pass unjudged."""

    minimum_rows: int = Field(
        50, gt=0, description="Rows (for rates: cases) below which a shard is too small to be judged."
    )
    answer_position_p: float = Field(0.001, gt=0, lt=1, description="Chi-square p from which on positions are uneven,")
    answer_position_deviation: Share = Field(0.05, description="if one also differs from its even share by this much.")
    type_share_of_even: Share = Field(0.25, description="Least share of each of questions.types, of an even share.")
    other_types: Share = Field(0.1, description="Largest share of questions of a type that questions.types lacks.")
    duplicate_rate: Share = Field(
        0.02, description="Largest share of near-duplicates of another question of the picture."
    )
    blindness: Share = Field(
        0.45, description="Largest mean share of blind votes that are right; chance is 0.25 of four choices."
    )
    acceptance: Share = Field(0.5, description="Least share of what an asset judged that it accepted.")
    acceptance_by_asset: dict[str, Share] = Field({}, description="Where an asset has its own.")
    length_drift: float = Field(
        0.25, gt=0, description="Largest change of the mean length since the shard was last made."
    )
    contradictions: Share = Field(
        0.02, description="Largest share of thoughts that come to another answer than the one given."
    )
    caption_words: int = Field(20, gt=0, description="Words from which on a caption is no longer short.")
    short_captions: Share = Field(0.2, description="Largest share of short captions.")
    caption_language: Language = Field("english", description="Language of the captions; any: not looked at.")
    caption_other_script: Share = Field(
        0.05, description="Share of a caption's letters of another script than Latin, as of signs in the picture."
    )
    foreign_captions: Share = Field(0.02, description="Largest share of captions in another language.")
    unknown_licences: Share = Field(0.0, description="Largest share of pictures whose source names no licence.")
    without_boxes: Share = Field(0.5, description="Largest share of pictures without a labelled box.")
    picture_duplicates: Share = Field(
        0.02, description="Largest share of pictures that look like an earlier one, see release.picture_distance."
    )
    thoughts_read: int = Field(2000, gt=0, description="Thoughts of a shard that are read for it, drawn by their ids.")


class ReleaseSettings(Settings):
    """What a release leaves out, and how much of the rest it draws."""

    decontaminate: tuple[Path, ...] = Field(
        (), description="Manifests (.jsonl, .csv, .parquet) of benchmarks: columns image or phash, and question."
    )
    picture_distance: int = Field(
        6, ge=0, le=32, description="Bits of 64 that the hashes of one picture may differ in."
    )
    ngram: int = Field(8, ge=2, description="Words in a row that a benchmark's question and ours share.")
    ngram_share: float = Field(0.5, gt=0, le=1, description="Share of our question's words in such rows, at least.")
    similarity: float = Field(
        0.8, gt=0, le=1, description="Jaccard index from which two questions are near-duplicates."
    )
    per_wording: int | None = Field(
        50, gt=0, description="Questions of one wording with its choices, over all pictures; null: any number."
    )
    sizes: dict[str, int] = Field({}, description="Rows of a config's train split, drawn by hash: exactly so many.")
    seed: int = Field(0, ge=0, description="Which draw.")
    tokenizer: Path | None = Field(
        None,
        description="Folder of the model to be trained, or its tokenizer.json: lengths are then counted, not estimated.",
    )


class Profile(Settings):
    """One profile file."""

    name: str
    description: str = ""
    prompts: str = Field(description="Shipped prompt set, or the path of a folder.")
    models: dict[str, EngineSettings]
    roles: dict[Role, RoleSettings]
    maximum_failure_share: Share = Field(
        0.0, description="Share of a shard's requests that may fail for good; the shard is then made without them."
    )
    captions: CaptionSettings = CaptionSettings()
    detect: DetectSettings = DetectSettings()
    questions: QuestionSettings = QuestionSettings()
    compose: ComposeSettings = ComposeSettings()
    distill: DistillSettings = DistillSettings()
    expand: ExpandSettings = ExpandSettings()
    pairs: PairSettings = PairSettings()
    mix: MixSettings = MixSettings()
    rl: RlSettings = RlSettings()
    release: ReleaseSettings = ReleaseSettings()
    post_training: PostTrainingSettings = PostTrainingSettings()
    checks: CheckSettings = CheckSettings()

    @model_validator(mode="after")
    def _roles_name_models(self) -> "Profile":
        for role, settings in self.roles.items():
            if settings.model not in self.models:
                raise ValueError(f"roles.{role}.model is {settings.model!r}, but models has only {sorted(self.models)}")
        return self

    @model_validator(mode="after")
    def _detectors_detect(self) -> "Profile":
        for role, settings in self.roles.items():
            engine = self.models[settings.model].engine
            if role == "detector" and engine not in DETECTING_ENGINES:
                raise ValueError(f"roles.detector.model is {settings.model!r}, whose engine {engine} finds no boxes")
            if role != "detector" and engine == DETECTING_ENGINES[0]:
                raise ValueError(f"roles.{role}.model is {settings.model!r}, whose engine {engine} writes no text")
        return self

    def binds(self, *roles: str) -> bool:
        """Whether all of ``roles`` have a model."""
        return all(role in self.roles for role in roles)

    def role(self, role: str) -> RoleSettings:
        """Model and sampling of ``role``.

        Raises:
            SettingsError: the profile does not bind the role.
        """
        if role not in self.roles:
            raise SettingsError(f"profile {self.name!r} binds no model to the role {role!r}: add it under `roles:`")
        return self.roles[role]


def load_profile(name_or_path: str | None = None) -> Profile:
    """A shipped profile by name, or a file of your own by path; by default ``$LGT_PROFILE``, else ``embedded``.

    Raises:
        SettingsError: there is no such profile, or a field is wrong; the message names file and field.
    """
    chosen = name_or_path or os.environ.get("LGT_PROFILE") or DEFAULT_PROFILE
    path = Path(chosen) if chosen.endswith((".yaml", ".yml")) else PROFILES_FOLDER / f"{chosen}.yaml"
    if not path.is_file():
        shipped = ", ".join(sorted(p.stem for p in PROFILES_FOLDER.glob("*.yaml")))
        raise SettingsError(
            f"no profile {chosen!r}: shipped are {shipped}; or give the path of a .yaml file of your own"
        )
    try:
        return Profile.model_validate(yaml.load(path.read_text(encoding="utf-8"), FAST_LOADER) or {})
    except yaml.YAMLError as error:
        raise SettingsError(f"profile {path}: not YAML: {error}") from error
    except ValidationError as error:
        raise SettingsError(f"profile {path}: {wrong_fields(error)}") from error
