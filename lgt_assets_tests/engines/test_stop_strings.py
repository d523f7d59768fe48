"""Where texts end."""

from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.engines.stop_strings import StopScanner, cut_at_stop


def test_cut_before_or_with_the_stop() -> None:
    assert cut_at_stop("a</b>c", ("</b>",), False) == "a"
    assert cut_at_stop("a</b>c", ("</b>",), True) == "a</b>"
    assert cut_at_stop("abc", ("</b>",), True) is None
    assert cut_at_stop("abc", ("", "c"), False) == "ab"


@given(st.text("ab<", max_size=20), st.lists(st.text("ab<", min_size=1, max_size=3), max_size=3))
def test_token_by_token_equals_the_shortest_prefix_with_a_stop(text: str, stop: list[str]) -> None:
    scanner = StopScanner(lambda ids: "".join(chr(token) for token in ids))
    found = None
    for end in range(1, len(text) + 1):
        if scanner.may_complete(ord(text[end - 1]), stop):
            found = cut_at_stop(text[:end], stop, True)
            if found is not None:
                break
    ends = [end for end in range(len(text) + 1) if any(text[:end].endswith(word) for word in stop)]
    assert found == (text[: ends[0]] if ends else None)
