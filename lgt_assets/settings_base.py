"""What all sections of a profile are made of."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Language = Literal["english", "any"]
OTHER_SCRIPT = "Share of letters of another script than Latin that it may have; what is shown may be quoted."


class Settings(BaseModel):
    """Base: an unknown field is an error, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)
