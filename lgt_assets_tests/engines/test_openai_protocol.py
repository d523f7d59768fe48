"""Bodies and replies: what is sent is JSON that says what the request says; whatever comes back is judged, never a crash."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.engines.base import Message, Request, Sampling
from lgt_assets.engines.openai_body import BodyBuilder, UnsupportedRequest
from lgt_assets.engines.openai_protocol import (
    Answer,
    GarbageAnswer,
    WithheldAnswer,
    WrongServer,
    error_message,
    is_out_of_quota,
    read_answer,
    read_models,
)
from lgt_assets.engines.openai_wire import seconds_of
from lgt_assets_tests.engines.requests import picture

NAMES = frozenset({"m"})
ANSWER = {
    "model": "m", "choices": [{"message": {"content": "red"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 5}},
}  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["model", "choices", "message", "content", "usage", "data", "id", "error"]), inner
        )
    ),
    max_leaves=12,
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def changed(**choice: object) -> bytes:
    return json.dumps(ANSWER | {"choices": [ANSWER["choices"][0] | choice]}).encode()


def test_an_answer_with_its_tokens() -> None:
    assert read_answer(json.dumps(ANSWER).encode(), NAMES) == Answer("red", "stop", 7, 5, 2)
    bare = {name: value for name, value in ANSWER.items() if name != "usage"}
    assert read_answer(json.dumps(bare).encode(), NAMES) == Answer("red", "stop", 0, 0, 0)


@given(JSON.map(lambda value: json.dumps(value).encode()) | st.binary())
def test_anything_else_is_garbage_or_another_server(body: bytes) -> None:
    with pytest.raises((GarbageAnswer, WrongServer)):
        read_answer(body, NAMES)
    with pytest.raises((GarbageAnswer, WrongServer)):
        read_models(body, "m")
    error_message(body), is_out_of_quota(body)


@pytest.mark.parametrize("body, error, said", [
    (b"[" * 100_000, GarbageAnswer, "RecursionError"),
    (changed(message={"content": None}), GarbageAnswer, "no text"),
    (changed(finish_reason="abort"), GarbageAnswer, "'abort'"),
    (changed(finish_reason="content_filter"), WithheldAnswer, "content_filter"),
    (changed(message={"content": "red", "reasoning_content": "It is red."}), WrongServer, "--reasoning-parser"),
    (json.dumps(ANSWER | {"model": "mm"}).encode(), WrongServer, "'mm' instead of 'm'"),
    (json.dumps(ANSWER | {"model": ["m"]}).encode(), GarbageAnswer, "TypeError"),
])  # fmt: skip
def test_what_is_wrong_is_said(body: bytes, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        read_answer(body, NAMES)


def test_dated_names_and_other_names_of_the_model() -> None:
    dated = json.dumps(ANSWER | {"model": "m-2026-01-31"}).encode()
    assert read_answer(dated, NAMES).text == "red"
    listed = json.dumps(
        {"data": [{"id": "m", "root": "a/b"}, {"id": "alias", "root": "a/b"}, {"id": "other", "root": "c"}]}
    )
    assert read_models(listed.encode(), "alias") == {"m", "alias"}
    with pytest.raises(WrongServer, match=r"serves alias, m, other, not 'x'"):
        read_models(listed.encode(), "x")


@given(
    st.lists(st.tuples(st.sampled_from(["system", "user"]), TEXTS), min_size=1, max_size=3),
    TEXTS, TEXTS, st.integers(0, 2**31 - 1),
)  # fmt: skip
def test_bodies_are_json_that_says_the_request(turns: list[tuple[str, str]], prefix: str, stop: str, seed: int) -> None:
    builder = BodyBuilder('quoted "m"', "vllm", {})
    sampling = Sampling(0.5, stop=(stop,), choice=(prefix, stop))
    request = Request(tuple(Message(*turn) for turn in turns), sampling, seed, prefix)
    for asked in (request, replace(request, seed=seed // 2), replace(request, prefix="")):
        body = json.loads(builder.build(asked))
        said = [(turn["role"], turn["content"]) for turn in body["messages"]]
        assert said == turns + [("assistant", asked.prefix)] * bool(asked.prefix)
        assert (body["model"], body["seed"], body["stop"]) == ('quoted "m"', asked.seed, [stop])
        assert body["structured_outputs"] == {"choice": [prefix, stop]}
        assert body.get("continue_final_message", False) == bool(asked.prefix)


def test_pictures_stand_before_the_text_and_only_they_bring_pixel_limits(tmp_path: Path) -> None:
    builder = BodyBuilder("m", "vllm", {"max_pixels": 9})
    red, green = picture(tmp_path, "red"), picture(tmp_path, "green")
    asked = Request((Message("user", "Which?", (red, green)), Message("assistant", "Red.")), Sampling(), 1)
    body = json.loads(builder.build(asked))
    *pictures, text = body["messages"][0]["content"]
    sent = [base64.b64decode(part["image_url"]["url"].removeprefix("data:image/png;base64,")) for part in pictures]
    assert sent == [Path(red.uri).read_bytes(), Path(green.uri).read_bytes()]
    assert text == {"type": "text", "text": "Which?"} and body["mm_processor_kwargs"] == {"max_pixels": 9}
    plain = json.loads(builder.build(Request((Message("user", "Which?"),), asked.sampling, 1)))
    assert plain["messages"] == [{"role": "user", "content": "Which?"}] and "mm_processor_kwargs" not in plain


def test_the_bare_dialect_says_what_it_cannot() -> None:
    builder = BodyBuilder("m", "openai", {})
    with pytest.raises(UnsupportedRequest, match="structured_outputs"):
        builder.build(Request((Message("user", "x"),), Sampling(choice=("a", "b")), 1))


def test_retry_after_is_seconds_or_a_date() -> None:
    assert (seconds_of("7"), seconds_of("0.5"), seconds_of("-3"), seconds_of("nan"), seconds_of("inf")) == (
        7,
        0.5,
        0,
        0,
        0,
    )
    assert 50 < seconds_of(format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)) <= 60
    assert seconds_of("Wed, 21 Oct 2015 07:28:00 GMT") == seconds_of("soon") == seconds_of("") == 0
