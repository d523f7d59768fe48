"""What a release's rows are like: counts by type, hops, recipe, kind, difficulty and length."""

from collections.abc import Callable, Mapping

import polars as pl

from lgt_assets.identity import parse_row_id
from lgt_assets.release.tallied import counts, length_bins, length_edges, share_bins, share_edges
from lgt_assets.row_model import DIFFICULTIES, RECIPES
from lgt_assets.synthesis.pair_lengths import pair_lengths

MOST_TYPES = 24  # told apart; a model may write any number of them
OTHER_TYPES = "(other types)"
TYPE_CHARACTERS = 60
EXAMPLE_CHARACTERS = 2000
HASH_CHARACTERS = 16  # that an id ends with
_QUESTIONS = ("seed_questions", "composed_questions")


def statistics(tables: Mapping[str, pl.LazyFrame]) -> dict:
    """Counts over the rows of a release, in a fixed order.

    Args:
        tables: lazy frames of ``seed_questions``, ``composed_questions``, ``sft_mix``, ``preference_pairs`` and ``rl_prompts``,
            less what the release leaves out.

    Returns:
        ``question_types``: question_type, hops, questions; ``answer_positions``: choices, position, prompts; ``recipes``: stage,
        recipe, examples; ``trace_lengths``: for each recipe (low, high, examples) in characters; ``pair_kinds``: stage, kind,
        pairs; ``pairs``: see :func:`.pair_lengths.pair_lengths`; ``pass_rates``: for each stage (low, high, prompts);
        ``difficulties``: stage, difficulty, prompts; ``forms``: form, verification, prompts.
    """
    prompts, mix, pairs = tables["rl_prompts"], tables["sft_mix"], tables["preference_pairs"]
    asked = prompts.filter(pl.col("form") == "choice")
    turn = pl.col("messages").list.last().struct.field("content").str.len_chars()
    lengths = counts(mix, "recipe", length_bins(turn).alias("bin"))
    lengths.sort(key=lambda row: (RECIPES.index(row["recipe"]), row["bin"]))
    return {
        "question_types": question_types(tables),
        "answer_positions": counts(
            asked, pl.col("choices_shown").list.len().cast(pl.Int64).alias("choices"),
            pl.col("ground_truth").alias("position"), name="prompts",
        ),
        "recipes": _in_order(counts(mix, "stage", "recipe", name="examples"), "recipe", RECIPES),
        "trace_lengths": _histograms(lengths, "recipe", length_edges),
        "pair_kinds": counts(pairs, "stage", "kind", name="pairs"),
        "pairs": [{name: _rounded(value) for name, value in row.items()} for row in pair_lengths(pairs)],
        "pass_rates": _histograms(
            counts(asked, "stage", share_bins(pl.col("pass_rate")).alias("bin")), "stage", share_edges
        ),
        "difficulties": _in_order(counts(prompts, "stage", "difficulty", name="prompts"), "difficulty", DIFFICULTIES),
        "forms": counts(prompts, "form", "verification", name="prompts"),
    }  # fmt: skip


def question_types(tables: Mapping[str, pl.LazyFrame]) -> list[dict]:
    """question_type, hops, questions; the most frequent types first, those beyond ``MOST_TYPES`` together."""
    both = pl.concat(
        [tables[name].select(pl.col("question_type").str.slice(0, TYPE_CHARACTERS), "hops") for name in _QUESTIONS]
    )
    found = counts(both, "question_type", "hops", name="questions")
    totals: dict[str, int] = {}
    for row in found:
        totals[row["question_type"]] = totals.get(row["question_type"], 0) + row["questions"]
    order = sorted(totals, key=lambda name: (-totals[name], name))[:MOST_TYPES]
    sums: dict[tuple[str, int], int] = {}
    for row in found:
        key = (row["question_type"] if row["question_type"] in order else OTHER_TYPES, row["hops"])
        sums[key] = sums.get(key, 0) + row["questions"]
    ranked = {name: place for place, name in enumerate(order)}
    keys = sorted(sums, key=lambda key: (ranked.get(key[0], MOST_TYPES), key[1]))
    return [{"question_type": name, "hops": hops, "questions": sums[name, hops]} for name, hops in keys]


def example(tables: Mapping[str, pl.LazyFrame]) -> dict | None:
    """One supervised example to look at: the long one of the highest stage whose hash is lowest; None without any.

    Returns:
        ``row_id``, ``recipe``, ``stage``, ``user`` and ``assistant``, each text cut to ``EXAMPLE_CHARACTERS``.
    """
    mix = tables["sft_mix"]
    found = next(
        (one for one in (_first_id(mix, stage, recipe) for recipe in RECIPES[::-1] for stage in (2, 1)) if one), None
    )
    if found is None:
        return None
    # with the shard no file of another one is opened
    own = mix.filter(pl.col("shard") == parse_row_id(found).shard, pl.col("example_id") == found)
    row = own.collect(engine="streaming").row(0, named=True)
    texts = {message["role"]: message["content"] for message in row["messages"]}
    cut = {role: texts.get(role, "")[:EXAMPLE_CHARACTERS] for role in ("user", "assistant")}
    return {"row_id": row["example_id"], "recipe": row["recipe"], "stage": row["stage"]} | cut


def _first_id(mix: pl.LazyFrame, stage: int, recipe: str) -> str | None:
    """The id whose hash is lowest, or None without rows."""
    key = pl.concat_str(pl.col("example_id").str.slice(-HASH_CHARACTERS), "example_id").min()
    first = (
        mix.filter(pl.col("stage") == stage, pl.col("recipe") == recipe).select(key).collect(engine="streaming").item()
    )
    return first[HASH_CHARACTERS:] if first else None


def _histograms(found: list[dict], series: str, edges: Callable[[int], tuple[float, float]]) -> dict[str, list[list]]:
    """``found`` (series, bin, rows) as lists of (low, high, rows) by series; ``edges`` gives a bin's."""
    made: dict[str, list[list]] = {}
    for row in found:
        made.setdefault(str(row[series]), []).append([*edges(row["bin"]), row["rows"]])
    return made


def _in_order(rows: list[dict], name: str, order: tuple[str, ...]) -> list[dict]:
    return sorted(rows, key=lambda row: (row["stage"], order.index(row[name])))


def _rounded(value: object) -> object:
    return float(f"{value:.6g}") if isinstance(value, float) else value
