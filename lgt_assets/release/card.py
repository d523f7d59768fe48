"""The dataset card of an export: README.md with what the hub reads and what people should know, and the files it shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lgt_assets.release.card_columns import columns_section
from lgt_assets.release.card_content import example_section, pictures_section, rows_table, statistics_section
from lgt_assets.release.card_limits import limits, warning
from lgt_assets.release.card_loading import loading
from lgt_assets.release.card_making import audit_section, funnel_section, left_out_section, models_section
from lgt_assets.release.card_plots import WORDS, card_panels, card_plots, path_of
from lgt_assets.release.card_wording import count, folded, table
from lgt_assets.release.card_yaml import TITLE, header
from lgt_assets.release.citations import BIBTEX
from lgt_assets.release.licences import LICENCE_FILE, licence_text
from lgt_assets.release.picture_sources import ATTRIBUTIONS_FILE
from lgt_assets.release.writing import Written

CARD = "README.md"
_FORMAT_TAGS = {
    "hf": ["trl"], "llamafactory": ["llama-factory"], "swift": ["ms-swift"], "verl": ["verl"], "structured": ["axolotl"],
    "easyr1": ["easyr1"], "openrlhf": ["openrlhf"],
}  # fmt: skip


@dataclass(frozen=True)
class CardFacts:
    """All that a card is written from; nothing else, no clock and no path, decides its bytes.

    Attributes:
        release_id: of the release.
        format_name: of the export.
        trainers: who reads that format, in words.
        facts: see :func:`lgt_assets.release.facts.release_facts`.
        excluded: ``reason``, ``table`` and ``rows``.
        inputs: Delta version by table.
        written: rows of every config and split.
        companions: paths of the files beside the rows.
        token_lengths: by config, ``TokenLengths.as_dict()`` of its rows; empty: not measured.
        notes: further sentences on this export, in markdown, such as that locations were removed.
    """

    release_id: str
    format_name: str
    trainers: str
    facts: Mapping
    excluded: Sequence[Mapping]
    inputs: Mapping[str, int]
    written: Sequence[Written]
    companions: Sequence[str] = ()
    token_lengths: Mapping[str, Mapping] = field(default_factory=dict)
    notes: Sequence[str] = ()


def card_files(card: CardFacts) -> dict[str, str | bytes]:
    """The card, its plots and, where one licence does not say it all, LICENSE.md; by path in the export."""
    files: dict[str, str | bytes] = {CARD: card_text(card), **card_plots(card.facts, card.written)}
    licences = licence_text(card.facts["pictures"])
    return files | ({LICENCE_FILE: licences} if licences else {})


def card_text(card: CardFacts) -> str:
    """README.md: the YAML header, then the text."""
    return header(card.facts, card.written, _FORMAT_TAGS.get(card.format_name, [])) + "\n" + card_body(card)


def card_body(card: CardFacts) -> str:
    """The text without its header."""
    facts = card.facts
    plots = {path_of(name): WORDS[name] for name in card_panels(facts, card.written)}
    sections = {
        "Load it": loading(card.format_name, card.written, card.companions),
        "Configs": _configs(card),
        "An example": example_section(facts),
        "Columns": columns_section(card.written),
        "Known limits": "\n".join(f"- {sentence}" for sentence in limits(facts, card.written)),
        "How it was made": models_section(facts),
        "Funnel": funnel_section(facts),
        "Audits": audit_section(facts),
        "Statistics": statistics_section(facts, plots, card.token_lengths),
        "Left out": left_out_section(facts, card.excluded),
        "Pictures and licences": pictures_section(facts, ATTRIBUTIONS_FILE in card.companions),
        "Verify and rebuild": _rebuild(card),
        "Citation": f"```bibtex\n{BIBTEX}\n```",
    }
    parts = [f"# {TITLE}", _what_it_is(card), warning(facts), *card.notes]
    parts += [f"## {title}\n\n{text}" for title, text in sections.items()]
    return "\n\n".join(part for part in parts if part) + "\n"


def _what_it_is(card: CardFacts) -> str:
    facts = card.facts
    questions = facts["statistics"]["question_types"]
    seeds = sum(row["questions"] for row in questions if row["hops"] == 1)
    composed = sum(row["questions"] for row in questions) - seeds
    pictures = sum(row["pictures"] for row in facts["pictures"]["sources"])
    return (
        f"Visual questions with long chains of thought: {count(seeds)} questions about boxed objects and scenes, and "
        f"{count(composed)} harder ones composed of them, on {count(pictures)} pictures; as supervised examples, preference "
        "pairs and prompts for reinforcement learning. The method is that of "
        "[Long Grounded Thoughts](https://arxiv.org/abs/2511.05705), rebuilt by lgt_assets; this is not the authors' data.\n\n"
        f"Release `{card.release_id}`, format `{card.format_name}`: for {card.trainers}."
    )


def _configs(card: CardFacts) -> str:
    others = ", ".join(f"`{path}`" for path in sorted(card.companions) if "/" not in path)
    beside = f"\n\nBeside the rows: {others}." if others else ""
    return f"{rows_table(card.written)}\n\nA picture, and all that was made of it, lies in one split alone.{beside}"


def _rebuild(card: CardFacts) -> str:
    pinned = table(
        ["table", "version"], [[f"`{name}`", str(version)] for name, version in sorted(card.inputs.items())], right=(1,)
    )
    return "\n\n".join([
        "```bash\nsha256sum -c SHA256SUMS         # every file is as it was written\n"
        f"lgt export --verify DIR         # the same, and files that nobody listed\n"
        f"lgt export --format {card.format_name} --out DIR --at {card.release_id}   # write it again, where its tables are\n```",
        "Rows come from the table versions that the release pins, whatever was written to the tables since; under the versions "
        "of `release.json` every byte is the same.", folded("Pinned table versions", pinned),
    ])  # fmt: skip
