"""What decides a completion is in its key, and nothing else."""

from dataclasses import replace

import pytest

from lgt_assets.engines.base import ImageReference, Message, ModelIdentity, Request, Sampling, request_key

IDENTITY = ModelIdentity("model", "revision", "template", "adapter", 1, 2)
IMAGE = ImageReference("a" * 64, "/one/place.png")
REQUEST = Request(
    (Message("system", "Be brief."), Message("user", "What is it?", (IMAGE,))),
    Sampling(0.7, 0.9, 5, 64, ("</answer>",)),
    seed=7,
)


def test_key_is_stable() -> None:
    assert request_key(IDENTITY, REQUEST) == "d1910b0b55ee0d43b9096c95720fa802ba06d7780f9e151dce5919349dc15fa8"


def test_key_of_a_choice_is_stable() -> None:
    chosen = replace(REQUEST, sampling=replace(REQUEST.sampling, choice=("A", "B")))
    assert request_key(IDENTITY, chosen) == "afe890f674fcc20016ca6d429b91c402a1c8414647b918bc9e286d3f00e4b254"


@pytest.mark.parametrize("changed", [
    replace(IDENTITY, name="x"), replace(IDENTITY, revision="x"), replace(IDENTITY, chat_template_sha256="x"),
    replace(IDENTITY, adapter="x"), replace(IDENTITY, min_pixels=9), replace(IDENTITY, max_pixels=9),
])  # fmt: skip
def test_each_part_of_the_identity_decides(changed: ModelIdentity) -> None:
    assert request_key(changed, REQUEST) != request_key(IDENTITY, REQUEST)


@pytest.mark.parametrize("changed", [
    replace(REQUEST, seed=8), replace(REQUEST, sample_index=1), replace(REQUEST, prefix="<think>"),
    replace(REQUEST, messages=REQUEST.messages[1:]),
    replace(REQUEST, messages=(Message("user", "Be brief."), REQUEST.messages[1])),
    replace(REQUEST, messages=(REQUEST.messages[0], Message("user", "What is it? ", (IMAGE,)))),
    replace(REQUEST, messages=(REQUEST.messages[0], Message("user", "What is it?", (replace(IMAGE, sha256="b" * 64),)))),
    replace(REQUEST, messages=(REQUEST.messages[0], Message("user", "What is it?"))),
    *(replace(REQUEST, sampling=replace(REQUEST.sampling, **{name: value})) for name, value in {
        "temperature": 0.8, "top_p": 0.8, "top_k": 6, "max_tokens": 65, "stop": ("x",), "include_stop": True,
        "bad_words": ("text",), "choice": ("A", "B"),
    }.items()),
])  # fmt: skip
def test_each_part_of_the_request_decides(changed: Request) -> None:
    assert request_key(IDENTITY, changed) != request_key(IDENTITY, REQUEST)


def test_place_of_the_picture_and_template_hash_do_not_decide() -> None:
    moved = replace(
        REQUEST, messages=(REQUEST.messages[0], Message("user", "What is it?", (replace(IMAGE, uri="/other.png"),)))
    )
    assert request_key(IDENTITY, moved) == request_key(IDENTITY, REQUEST)
    assert request_key(IDENTITY, replace(REQUEST, template_hash="x")) == request_key(IDENTITY, REQUEST)
