"""Sections of a profile that say how pictures get the captions and boxes that their source has not."""

from pydantic import Field, model_validator

from lgt_assets.settings_base import OTHER_SCRIPT, Language, Settings, Share


class CaptionSettings(Settings):
    """Captions for pictures that came without one, where the profile binds the role ``captioner``."""

    allow_generated: bool = Field(
        False, description="Whether pictures may have a caption that no person wrote; else those without are rejected."
    )
    minimum_words: int = Field(20, gt=0, description="Words of a generated caption, at least.")
    language: Language = Field("english", description="Language of a generated caption; any: not looked at.")
    maximum_other_script: Share = Field(0.002, description=OTHER_SCRIPT)


class DetectSettings(Settings):
    """Boxes for pictures that came without any, where the profile binds the role ``detector``.

    Shares are of the picture's area; intersection over union and scores lie in [0, 1].
    """

    phrases: int = Field(24, gt=0, description="Phrases of a caption that are looked for, at most.")
    phrase_words: int = Field(8, gt=0, description="Words of a phrase, at most.")
    phrases_per_request: int = Field(8, gt=0, description="Phrases that are looked for together.")
    box_threshold: Share = Field(0.3, description="Score that a box must exceed.")
    text_threshold: Share = Field(0.25, description="Score that some word of a box's phrase must exceed.")
    overlap: Share = Field(
        0.5, description="Of two boxes of one label whose intersection over union exceeds this, the better stays."
    )
    minimum_share: Share = Field(0.0005, description="Smaller boxes are not kept,")
    maximum_share: Share = Field(0.95, description="nor larger ones: they are about the whole scene.")
    boxes: int = Field(20, gt=0, description="Boxes of a picture, at most: those with the best scores.")

    @model_validator(mode="after")
    def _sizes_leave_room(self) -> "DetectSettings":
        if self.minimum_share >= self.maximum_share:
            raise ValueError(f"minimum_share {self.minimum_share} is not below maximum_share {self.maximum_share}")
        return self
