"""Profiles: which model plays which role, how it samples, and how much of everything is made."""

import os
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lgt_assets.engines.base import Sampling
from lgt_assets.engines.settings import EngineSettings
from lgt_assets.errors import SettingsError

PROFILES_FOLDER = Path(__file__).parent / "profiles"
DEFAULT_PROFILE = "embedded"
Role = Literal["questioner", "composer", "vlm", "reasoner", "verifier"]
Share = Annotated[float, Field(ge=0, le=1)]


class Settings(BaseModel):
    """Base: an unknown field is an error, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
    """A role's model (a name under ``models``) and sampling."""

    model: str
    sampling: SamplingSettings = SamplingSettings()


class QuestionSettings(Settings):
    """Stage 1."""

    per_image: int = Field(6, gt=0, description="Requests per picture.")
    types: tuple[str, ...] = Field(("Recognition", "Counting", "Spatial", "Comparison"), min_length=1)
    focus_sizes: tuple[int, ...] = Field((1, 2), min_length=1, description="Objects in focus; 0 is the whole scene.")
    focus_sizes_by_type: dict[str, tuple[int, ...]] = Field({}, description="Where a type has its own.")

    def sizes(self, question_type: str) -> tuple[int, ...]:
        """Numbers of objects that a question of this type may be about."""
        return self.focus_sizes_by_type.get(question_type) or self.focus_sizes


class ComposeSettings(Settings):
    """Stage 2."""

    per_image: int = Field(2, ge=0, description="Compositions asked for per picture.")
    parents: int = Field(2, ge=2, le=4, description="Parents of one composition, at most.")
    kinds_from: Literal["answers", "scene_grammar"] = Field(
        "answers",
        description="Rule for the kinds that parents allow: by types and answers, or what the embedded model knows.",
    )
    support_votes: int = Field(1, ge=0)
    blindness_votes: int = Field(1, ge=0)
    minimum_support: Share = 0.5
    maximum_blindness: Share = 1.0


class DistillSettings(Settings):
    """Chains of thought from the VLM."""

    samples: int = Field(10, gt=0, description="Samples per question.")
    answer_formats: tuple[Literal["letter", "letter_text"], ...] = ("letter", "letter_text")


class ExpandSettings(Settings):
    """Continuations by the reasoning model."""

    cues: tuple[str, ...] = ("Wait,", "Hmm,", "Alternatively,", "Let's double-check the details.")
    chains_per_question: int = Field(
        2, gt=0, description="Simple chains continued per question: right and wrong ones first."
    )
    samples: int = Field(3, gt=0, description="Continuations per chain; each draws its cue.")
    minimum_added_characters: int = Field(20, ge=0)


class PairSettings(Settings):
    """Preference pairs."""

    per_question_and_kind: int = Field(1, gt=0)
    compactness_ratio: float = Field(1.5, ge=1, description="Rejected at least this much longer, in characters.")


class MixSettings(Settings):
    """Supervised examples."""

    per_question_and_recipe: int = Field(2, gt=0, description="Drawn by rank of length, weight 0.5**rank.")


class Profile(Settings):
    """One profile file."""

    name: str
    description: str = ""
    prompts: str = Field(description="Shipped prompt set, or the path of a folder.")
    models: dict[str, EngineSettings]
    roles: dict[Role, RoleSettings]
    questions: QuestionSettings = QuestionSettings()
    compose: ComposeSettings = ComposeSettings()
    distill: DistillSettings = DistillSettings()
    expand: ExpandSettings = ExpandSettings()
    pairs: PairSettings = PairSettings()
    mix: MixSettings = MixSettings()

    @model_validator(mode="after")
    def _roles_name_models(self) -> "Profile":
        for role, settings in self.roles.items():
            if settings.model not in self.models:
                raise ValueError(f"roles.{role}.model is {settings.model!r}, but models has only {sorted(self.models)}")
        return self

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
        return Profile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except yaml.YAMLError as error:
        raise SettingsError(f"profile {path}: not YAML: {error}") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or '(whole file)'}: {e['msg']}" for e in error.errors())
        raise SettingsError(f"profile {path}: {problems}") from error


def state_folder() -> Path:
    """Where all state lies: ``$LGT_STATE``, by default ``.lgt`` below the working directory; absolute."""
    return Path(os.environ.get("LGT_STATE") or ".lgt").absolute()
