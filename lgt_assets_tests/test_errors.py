"""What is said of fields that pydantic refused."""

import pydantic
import pytest

from lgt_assets.errors import wrong_fields


class Inner(pydantic.BaseModel):
    count: int


class Outer(pydantic.BaseModel):
    inner: list[Inner]
    name: str


def test_every_wrong_field_is_named_with_its_path_and_without_its_value() -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        Outer.model_validate({"inner": [{"count": 1}, {"count": "hunter2"}]})
    said = wrong_fields(caught.value)
    assert said.startswith("inner.1.count: ") and "; name: Field required" in said and "hunter2" not in said


def test_what_is_no_mapping_is_wrong_as_a_whole() -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        Outer.model_validate([])
    assert wrong_fields(caught.value).startswith("(whole file): ")
    assert wrong_fields(caught.value, "(all together)").startswith("(all together): ")
