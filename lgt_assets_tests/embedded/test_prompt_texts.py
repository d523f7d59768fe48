"""Training shows the model exactly what the templates render."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgt_assets.embedded.roles import ROLES, make_example
from lgt_assets.embedded.scenes import generate_scene
from lgt_assets.prompts.templates import prompt_set


@pytest.mark.parametrize("role", ROLES)
@given(seed=st.integers(0, 2**40))
@settings(max_examples=40, deadline=None)
def test_user_texts_are_what_the_templates_render(role: str, seed: int) -> None:
    example = make_example(role, generate_scene(seed), random.Random(seed))
    messages = prompt_set("embedded").messages(role, **example.variables)
    assert [message.role for message in messages] == ["user"]
    assert messages[0].text == example.user


def test_an_empty_focus_is_the_whole_picture() -> None:
    example = make_example("questioner", generate_scene(1), random.Random(1))
    shown = example.variables | {"focus": []}
    assert "\nFocus: all.\n" in prompt_set("embedded").messages("questioner", **shown)[0].text
