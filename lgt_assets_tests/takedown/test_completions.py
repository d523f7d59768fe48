"""Which completions go with a picture, and which stay with the others."""

import json

import polars as pl
import pytest

from lgt_assets.takedown.completions import Evidence, keys_to_remove

OWN = Evidence({"named", "both"}, ["aaa"], ["A harlequin umbrella stands here."], ["Who holds the harlequin umbrella?"])
OTHERS = Evidence({"both", "theirs"}, ["bbb"], ["Geese cross a pond at dawn."], ["How many geese cross the pond?"])


def completion(key: str, text: str = "", images: tuple[str, ...] = (), prefix: str = "") -> pl.DataFrame:
    prompt = json.dumps([{"role": "user", "text": text, "images": list(images)}])
    return pl.DataFrame([{"request_key": key, "asset": "a", "prompt": prompt, "prefix": prefix, "text": ""}])


@pytest.mark.parametrize(
    ("given", "goes"),
    [
        (completion("x", "anything", ("aaa",)), True),
        (completion("both", "anything", ("aaa",)), True),  # shown it, whoever names it
        (completion("named", "a vote"), True),
        (completion("both", "Who holds the harlequin umbrella?"), False),  # another picture's rows need it
        (completion("theirs", "Who holds the harlequin umbrella?"), False),
        (completion("x", "Caption: A harlequin umbrella stands here."), True),
        (completion("x", "Q: Who holds the harlequin umbrella? (A)"), True),
        (completion("x", "", prefix="Who holds the harlequin umbrella? I look."), True),
        (completion("x", "Who holds the harlequin umbrella?", ("bbb",)), False),
        (completion("x", "Geese cross a pond at dawn. Ask."), False),
        (completion("x", "Q: How many geese cross the pond? (A)"), False),
        (completion("x", "a vote on what was refused long ago"), True),  # it might speak of it
    ],
)  # fmt: skip
def test_a_completion_goes_or_stays(given: pl.DataFrame, goes: bool) -> None:
    assert keys_to_remove(given, OWN, OTHERS) == (set(given["request_key"]) if goes else set())


def test_nothing_is_needed_to_know() -> None:
    assert keys_to_remove(completion("x", "?"), Evidence(), Evidence()) == {"x"}
    assert keys_to_remove(completion("x").clear(), OWN, OTHERS) == set()
