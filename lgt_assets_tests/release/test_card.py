"""A card tells what the tables hold, in bytes that nothing else decides; what others wrote stays text."""

import json
import re
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt

from lgt_assets.release.card import CARD, card_body, card_files, card_text
from lgt_assets.release.card_wording import fenced
from lgt_assets.release.formats.registry import FORMATS
from lgt_assets.release.writing import Written
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.release.made_card import card_of, made_facts, write_format
from lgt_assets_tests.test_markdown import RENDERER

HOSTILE = "</details><script>alert(1)</script> ![x](http://evil.example/x.png) | `a` \n# Heading\n---\nlicense: mit ```"


@pytest.fixture(scope="module")
def written(store: DeltaStore, tmp_path_factory: pytest.TempPathFactory) -> list[Written]:
    return write_format(store, tmp_path_factory.mktemp("hf") / "export")


def sections(text: str) -> dict[str, str]:
    """A card's text by heading."""
    parts = re.split(r"^## (.*)$", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_it_is_written_again_from_the_row_of_the_release_byte_for_byte(facts: dict, written: list[Written]) -> None:
    first = card_files(card_of(facts, written))
    again = card_files(card_of(json.loads(json.dumps(facts)), list(written)))
    assert first == again
    assert CARD in first and all(len(content) < 60_000 for content in first.values())


def test_the_plots_that_it_shows_are_there(facts: dict, written: list[Written]) -> None:
    files = card_files(card_of(facts, written))
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", str(files[CARD]))
    assert len(shown) >= 4 and set(shown) == {path for path in files if path.endswith(".png")}


def test_nobody_has_audited_is_said_plainly(facts: dict, written: list[Written]) -> None:
    assert "Nobody has audited these shards" in sections(card_body(card_of(facts, written)))["Audits"]
    rate = {"rate": 0.25, "low": 0.1, "high": 0.5, "rows": 5}
    audit = {"rows": 20, "auditors": 2, "wrong": 5, "error_rate": 0.25, "low": 0.11, "high": 0.47, "agreement": None,
             "kinds": {"leak": rate}}  # fmt: skip
    told = sections(card_body(card_of(facts | {"audits": {"seed_questions": audit}}, written)))["Audits"]
    assert "25.0% (11.0% to 47.0%)" in told and "leak 25.0% (10.0% to 50.0%)" in told
    assert "Nobody has audited `composed_questions`" in told


def test_what_was_left_out_is_counted_with_its_reason(facts: dict, written: list[Written]) -> None:
    told = sections(card_body(card_of(facts, written)))["Left out"]
    assert "1,200" in told and "repeated&#95;wording" in told and "Not decontaminated" in told
    told = sections(card_body(card_of(facts | {"decontaminated_against": ["vstar.jsonl"]}, written)))["Left out"]
    assert "Decontaminated against vstar.jsonl" in told


def test_a_release_of_the_small_model_says_so_first(facts: dict, written: list[Written]) -> None:
    assert "Made by the small model" not in card_body(card_of(facts, written))
    small = facts | {"models": [facts["models"][0] | {"model": "embedded"}]}
    assert card_body(card_of(small, written)).index("Made by the small model") < 1200


def test_limits_follow_from_the_numbers(facts: dict, written: list[Written]) -> None:
    told = sections(card_body(card_of(facts, written)))["Known limits"]
    assert "Few train rows" in told and "5 were not audited" in told and "people 100.0%" in told
    assert "synthetic scenes" not in told
    rendered = [{"source": "scenes", "caption_source": "rendered", "pictures": 3}]
    pictures = facts["pictures"] | {"captions": rendered}
    assert "synthetic scenes" in card_body(card_of(facts | {"pictures": pictures}, written))


def test_what_others_wrote_is_shown_as_text(facts: dict, written: list[Written]) -> None:
    pictures = facts["pictures"] | {
        "sources": [{"source": HOSTILE, "license": HOSTILE, "pictures": 3}], "attributions_in_all": 1,
        "attributions": [{"license": HOSTILE, "attribution": HOSTILE, "pictures": 3}],
        "boxes": [{"box_source": HOSTILE, "boxes": 3}],
        "captions": [{"source": HOSTILE, "caption_source": HOSTILE, "pictures": 3}],
    }  # fmt: skip
    example = facts["example"] | {"user": HOSTILE, "assistant": HOSTILE}
    models = [row | {"model": HOSTILE, "revision": HOSTILE} for row in facts["models"]]
    types = [{"question_type": HOSTILE, "hops": 1, "questions": 3}]
    hostile = facts | {
        "pictures": pictures, "example": example, "models": models,
        "statistics": facts["statistics"] | {"question_types": types},
    }  # fmt: skip
    card = card_of(hostile, written, excluded=[{"reason": HOSTILE, "table": "images", "rows": 1}])
    files = card_files(card)
    html = RENDERER.render(card_body(card))
    assert "<script" not in html and "evil.example" not in "".join(re.findall(r'(?:src|href)="[^"]*"', html))
    assert len(re.findall("<h1>", html)) == 1 and html.count("<details>") == html.count("</details>") == 3
    header = yaml.safe_load(str(files[CARD]).split("---\n")[1])
    assert header["license"] == "other" and re.fullmatch(r"[a-z0-9.+-]{1,60}", header["license_name"])
    assert "<script" not in str(files["LICENSE.md"])


@pytest.mark.parametrize("text", ["```", "````\n```", "a\r\nb", "\u202egnp", "\x1b[2J"])
def test_a_fence_cannot_be_closed_from_within(text: str) -> None:
    tokens = MarkdownIt().parse(fenced(text))
    assert [token.type for token in tokens] == ["fence"]
    assert "\u202e" not in tokens[0].content and "\x1b" not in tokens[0].content


def test_the_command_that_is_shown_runs_a_supervised_config(facts: dict, written: list[Written]) -> None:
    tasks = ("dpo_stage1", "rl_stage1", "sft_stage1")
    ready = tuple(f"configs/trl/{method}/{name}.yaml" for method in ("full", "lora") for name in tasks)
    told = sections(card_body(card_of(facts, written, companions=(*ready, "configs/trl/merge_lora.py"))))["Load it"]
    assert "trl sft --config configs/trl/lora/sft_stage1.yaml" in told
    assert "`configs/trl/full/` (3), `configs/trl/lora/` (3)" in told
    told = sections(card_body(card_of(facts, written, companions=(f"configs/trl/full/{tasks[0]}.yaml",))))["Load it"]
    assert "configs/trl/full/" in told and "trl sft" not in told


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_says_how_it_is_loaded_and_what_its_columns_are(
    name: str, store: DeltaStore, facts: dict, tmp_path: Path
) -> None:
    own = write_format(store, tmp_path / "export", name)
    told = sections(card_body(card_of(facts, own, name)))
    assert "no train rows" not in told["Load it"]
    named = re.findall(r"[a-z0-9_]+/[a-z-]+0*\.parquet|[a-z0-9_]+_train\.(?:jsonl|parquet)", told["Load it"])
    assert all((tmp_path / "export" / path).is_file() for path in named)
    columns = {column for one in own for column in one.features}
    assert columns and all(f"| `{column}` |" in told["Columns"] for column in columns)


def test_every_credit_is_named_and_the_file_only_where_it_is(facts: dict, written: list[Written]) -> None:
    names = [f"Person {n:02}" for n in range(50)]
    listed = [{"license": "CC BY 4.0", "attribution": name, "pictures": 1} for name in names]
    few = facts | {"pictures": facts["pictures"] | {"attributions": listed, "attributions_in_all": 50}}
    told = card_text(card_of(few, written))
    assert all(name in told for name in names) and "ATTRIBUTIONS.tsv" not in told
    many = facts | {"pictures": facts["pictures"] | {"attributions": listed, "attributions_in_all": 900}}
    told = card_text(card_of(many, written, companions=("ATTRIBUTIONS.tsv",)))
    assert "The first 50 of 900 credits." in told and "`ATTRIBUTIONS.tsv` names licence and credit" in told


def test_lengths_in_tokens_say_how_they_were_counted(facts: dict, written: list[Written]) -> None:
    lengths = {"mean": 310.4, "p50": 300, "p95": 700, "p99": 900, "max": 1011}
    own = {"rows": 12, "exact": False, "method": "four letters a token", "max_length": 1280} | dict.fromkeys(
        ("prompt", "completion", "total"), lengths
    )
    told = sections(
        card_body(card_of(facts, written, token_lengths={"sft_stage1": own, "rl_stage1": own | {"rows": 0}}))
    )["Statistics"]
    assert "| `sft_stage1` | 12 | 310 | 300 | 700 | 900 | 1,011 | 1,011 | 1,280 |" in told
    assert "`rl_stage1` | 0" not in told
    assert "Method: four letters a token. These are **no exact counts**." in told
    assert "Not measured." in sections(card_body(card_of(facts, written)))["Statistics"]


def test_an_empty_release_has_a_card_too(store: DeltaStore, facts: dict) -> None:
    empty = made_facts(store) | {"example": None, "models": [], "funnel": []}
    text = card_text(card_of(empty, []))
    assert "no train rows" in text and "configs" not in yaml.safe_load(text.split("---\n")[1])
