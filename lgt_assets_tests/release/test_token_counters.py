import json
import re
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lgt_assets
from lgt_assets.errors import SettingsError
from lgt_assets.release.chat_tokens import QWEN2_5_VL_CHAT, chat_tokens
from lgt_assets.release.picture_tokens import PixelLimits
from lgt_assets.release.token_counters import Estimate, Tokenized, estimate_from, token_counter

WEIGHTS = Path(lgt_assets.__file__).parent / "embedded" / "weights"


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=200), max_size=10))
def test_an_estimate_is_at_most_a_token_a_byte_and_at_least_what_it_says(texts):
    counted = Estimate(3.0).count(pl.Series(texts, dtype=pl.String)).to_list()
    for text, tokens in zip(texts, counted, strict=True):
        size = len(text.encode())
        assert min(size, len(text) / 3) <= tokens <= size
        if text.isascii() and size > 24:
            digits = sum(map(str.isdigit, text))
            assert digits <= tokens <= (len(text) - digits) / 3 + digits + 9


def generations(*models: tuple[str, int, list[int]]) -> pl.LazyFrame:
    """Completions of 300 characters with so many tokens each, repeated."""
    rows = [(model, "a" * 300, tokens) for model, times, lengths in models for tokens in lengths * times]
    schema = {"model": pl.String, "text": pl.String, "completion_tokens": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row").lazy()


def test_what_models_wrote_makes_the_estimate_more_cautious_and_never_less():
    assert estimate_from(generations()) == Estimate()
    assert estimate_from(generations(("words", 200, [70]))) == Estimate()  # 4.3 characters a token
    careful = estimate_from(generations(("words", 200, [70]), ("letters", 99, [70, 150])))
    assert careful.characters_per_token == 2.0 and not careful.exact
    assert careful.method == "estimated: 2.00 characters a token, as in letters's 198 completions"
    assert estimate_from(generations(("few", 99, [150]))) == Estimate()
    assert estimate_from(generations(("short", 200, [63]))) == Estimate()
    assert estimate_from(generations(("broken", 200, [3000]))).characters_per_token == 1.0
    assert estimate_from(generations(("mixed", 1, [*[100] * 985, *[200] * 15]))).characters_per_token == 1.5


def test_the_embedded_model_counts_its_own_tokens():
    tokenizer = pytest.importorskip("tokenizers").Tokenizer.from_file(str(WEIGHTS / "tokenizer.json"))
    texts = ["The red ball is left of the cube.", "", "é 漢 \n", *["(A) red"] * 3000]
    for path in (WEIGHTS, WEIGHTS / "tokenizer.json"):
        counter = Tokenized(path)
        assert counter.count(pl.Series(texts)).to_list() == [
            len(tokenizer.encode(text, add_special_tokens=False)) for text in texts
        ]
        assert counter.exact and re.fullmatch(
            "counted by tokenizer.json [0-9a-f]{12}, with its own chat format", counter.method
        )
    assert counter.count(pl.Series([], dtype=pl.String)).to_list() == []


def test_a_tokenizer_alone_has_the_chat_of_qwen(tmp_path):
    (tmp_path / "tokenizer.json").write_bytes((WEIGHTS / "tokenizer.json").read_bytes())
    counter = Tokenized(tmp_path)
    assert counter.chat == QWEN2_5_VL_CHAT and "Qwen2.5-VL's chat" in counter.method


def test_truncation_and_padding_of_a_tokenizer_are_not_its_text(tmp_path):
    tokenizer = pytest.importorskip("tokenizers").Tokenizer.from_file(str(WEIGHTS / "tokenizer.json"))
    plain = Tokenized(WEIGHTS).count(pl.Series(["red " * 100, "a"])).to_list()
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=16)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert Tokenized(tmp_path).count(pl.Series(["red " * 100, "a"])).to_list() == plain


@pytest.mark.parametrize("text", [None, "", "{}", "[1]", "no JSON", '{"model": {"type": "BPE"}}'])
def test_what_is_no_tokenizer_is_an_error(tmp_path, text):
    if text is not None:
        (tmp_path / "tokenizer.json").write_text(text)
    with pytest.raises(SettingsError, match=r"release.tokenizer: .*tokenizer\.json"):
        Tokenized(tmp_path)


# As many tokens as characters.
CHAT = (
    "{% if messages[0].role == 'system' and messages|length < 2 %}{{ raise_exception('alone') }}{% endif %}"
    "{% for message in messages %}[{{ message.role[0] }}{% if message.content is string %}{{ message.content }}{% else %}"
    "{% for part in message.content %}{{ '<I>' if part.type == 'image' else part.text }}{% endfor %}{% endif %}]{% endfor %}"
    "{% if add_generation_prompt %}[a{% endif %}"
)


def test_what_a_chat_template_adds_is_measured_on_it(tmp_path):
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": CHAT}))
    found, told = chat_tokens(tmp_path, len)
    assert (found.prompt, found.completion, found.picture) == (5, 1, 2) and told == "with its own chat format"
    (tmp_path / "chat_template.jinja").write_text("!" + CHAT)
    assert chat_tokens(tmp_path, len)[0].prompt == 6  # the file of its own counts


@pytest.mark.parametrize("template", [
    "{{ raise_exception('no') }}", "{% for %}", "{{ messages[0].content + 1 }}",
    "{{ messages.__class__.__mro__[1].__subclasses__() }}",
    "{{ (messages[0]['content'] * 3) + none }}",
])  # fmt: skip
def test_a_template_that_cannot_be_rendered_is_an_error(tmp_path, template):
    (tmp_path / "chat_template.jinja").write_text(template)
    with pytest.raises(SettingsError, match="chat template"):
        chat_tokens(tmp_path, len)


def test_settings_that_are_no_object_are_an_error(tmp_path):
    (tmp_path / "tokenizer_config.json").write_text("[]")
    with pytest.raises(SettingsError, match="no JSON object"):
        chat_tokens(tmp_path, len)
    (tmp_path / "tokenizer_config.json").write_text("{}")
    assert chat_tokens(tmp_path, len)[0] == QWEN2_5_VL_CHAT


def test_the_profile_says_what_counts():
    assert token_counter(None, generations()) == (Estimate(), PixelLimits(3136, 12845056))
    for path in (WEIGHTS, WEIGHTS / "tokenizer.json"):
        counter, limits = token_counter(path, generations())
        assert counter.exact and limits == PixelLimits(3136, 13000)
