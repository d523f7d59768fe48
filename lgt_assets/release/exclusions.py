"""What a release leaves out, and why: benchmarks' pictures and questions with all below them, and questions asked too often.

Pure functions over the tables of all shards. Order comes from the hash in the ids alone, so that no shard's rows depend on
another's place; what contamination removes is gone before duplicates are counted.
"""

from collections import Counter
from collections.abc import Iterator

import polars as pl

from lgt_assets.release.benchmarks import Benchmarks
from lgt_assets.release.configs import KEYS
from lgt_assets.release.overlap import QuestionIndex
from lgt_assets.release.perceptual import near_hashes
from lgt_assets.release.special_texts import message_text, special_text_reason
from lgt_assets.release.wordings import wording_clusters
from lgt_assets.settings import Profile, ReleaseSettings
from lgt_assets.synthesis.near_duplicates import AskedQuestion, asked_question, duplicate_reason

BENCHMARK_PICTURE, BENCHMARK_QUESTION, PARENT_LEFT_OUT = "benchmark_picture", "benchmark_question", "parent_left_out"
REPEATED_WORDING = "repeated_wording"
SCHEMA = {"row_id": pl.String, "table": pl.String, "reason": pl.String, "detail": pl.String}
_QUESTION_COLUMNS = ("question_id", "image_id", "question", "choices", "answer_index")


def exclusions(
    tables: dict[str, pl.LazyFrame], benchmarks: Benchmarks, hashes: pl.DataFrame, profile: Profile
) -> pl.DataFrame:
    """Pictures and questions to leave out: one row each, with its first reason.

    Args:
        tables: lazy frames of ``images``, ``seed_questions`` and ``composed_questions``.
        benchmarks: what must not be overlapped with.
        hashes: ``image_id`` and ``phash`` of every picture; may be empty where the benchmarks list no pictures.
        profile: thresholds, under ``release`` and ``questions``.

    Returns:
        ``row_id``, ``table``, ``reason``, ``detail`` (which benchmark's row, or which row it repeats).
    """
    settings = profile.release
    pictures = contaminated_pictures(benchmarks, hashes, settings)
    questions = _questions(tables).filter(~pl.col("image_id").is_in(pictures["row_id"].to_list()))
    contaminated = contaminated_questions(benchmarks, questions, settings)
    clean = questions.filter(~pl.col("question_id").is_in(contaminated["row_id"].to_list()))
    repeated = repeated_questions(clean, profile)
    return pl.concat([pictures, contaminated, repeated])


def _questions(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    """Seed and composed questions with their picture's sha256 and parents, in the order of the hash in their ids."""
    no_parents = pl.lit(None, dtype=pl.List(pl.String)).alias("parent_question_ids")
    seeds = tables["seed_questions"].select(*_QUESTION_COLUMNS, no_parents, pl.lit("seed_questions").alias("table"))
    composed = tables["composed_questions"].select(
        *_QUESTION_COLUMNS, "parent_question_ids", pl.lit("composed_questions").alias("table")
    )
    pictures = tables["images"].select("image_id", "sha256")
    joined = pl.concat([seeds, composed]).join(pictures, on="image_id")
    return joined.sort(pl.col("question_id").str.slice(-16), "question_id").collect()


def contaminated_pictures(benchmarks: Benchmarks, hashes: pl.DataFrame, settings: ReleaseSettings) -> pl.DataFrame:
    """Pictures that look like one of a benchmark's."""
    theirs = benchmarks.pictures
    near = near_hashes(hashes["phash"], theirs["value"], settings.picture_distance)
    image_ids, where = hashes["image_id"].to_list(), theirs["where"].to_list()
    return _frame(
        (image_ids[row], "images", BENCHMARK_PICTURE, f"{where[match]}: {bits} bits of 64 differ")
        for row, match, bits in near.iter_rows()
    )


def contaminated_questions(benchmarks: Benchmarks, questions: pl.DataFrame, settings: ReleaseSettings) -> pl.DataFrame:
    """Questions that a benchmark asks as well, and those composed of one."""
    index = QuestionIndex(benchmarks.questions.iter_rows(), ngram=settings.ngram, share=settings.ngram_share)
    found = {}
    for question_id, question in questions.select("question_id", "question").iter_rows():
        where = index.find(question)
        if where is not None:
            found[question_id] = where

    def rows() -> Iterator[tuple[str, str, str, str]]:
        for row in questions.select("question_id", "table", "parent_question_ids").iter_rows(named=True):
            parents = [parent for parent in row["parent_question_ids"] or () if parent in found]
            if row["question_id"] in found:
                yield row["question_id"], row["table"], BENCHMARK_QUESTION, found[row["question_id"]]
            elif parents:
                yield row["question_id"], row["table"], PARENT_LEFT_OUT, parents[0]

    return _frame(rows())


def repeated_questions(questions: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    """Near-duplicates of a question about the same picture in another shard, and what exceeds ``per_wording`` over all pictures.

    Stage 1 removes near-duplicates within a shard; here its rule (:mod:`lgt_assets.synthesis.near_duplicates`) goes over pictures
    of one sha256 that lie in several shards. The same wording about another picture is another question:
    ``release.per_wording`` says how often question, choices and right answer of nearly one wording may come.

    Args:
        questions: as :func:`_questions` orders them: the first of a kind stays.
        profile: ``questions.near_duplicate_similarity``, ``release.similarity`` and ``release.per_wording``.
    """
    found = list(_same_picture(questions, profile.questions.near_duplicate_similarity))
    if profile.release.per_wording:
        left = questions.filter(~pl.col("question_id").is_in([row[0] for row in found]))
        found += _over_pictures(left, profile.release.similarity, profile.release.per_wording)
    return _frame(iter(found))


def _same_picture(questions: pl.DataFrame, similarity: float | None) -> Iterator[tuple[str, str, str, str]]:
    """What repeats an earlier question of its table about a picture that lies in several shards."""
    several = questions.filter(pl.col("image_id").n_unique().over("sha256") > 1)
    for _, group in several.group_by("sha256", "table", maintain_order=True):
        kept: list[tuple[str, AskedQuestion]] = []
        for row in group.iter_rows(named=True):
            own = asked_question(row["question"], row["choices"][row["answer_index"]])
            reasons = ((duplicate_reason(own, [asked], similarity), name) for name, asked in kept)
            reason, first = next((repeated for repeated in reasons if repeated[0]), (None, ""))
            if reason is None:
                kept.append((row["question_id"], own))
            else:
                yield row["question_id"], row["table"], reason, first


def _over_pictures(questions: pl.DataFrame, similarity: float, per_wording: int) -> Iterator[tuple[str, str, str, str]]:
    """What comes after ``per_wording`` questions of its wording."""
    choices = pl.col("choices")
    texts = questions.select(
        pl.concat_str(
            "question", choices.list.sort().list.join("\n"), choices.list.get(pl.col("answer_index")), separator="\n"
        )
    ).to_series()
    count: Counter[int] = Counter()
    clusters = wording_clusters(texts.to_list(), similarity)
    for index, (question_id, table) in enumerate(questions.select("question_id", "table").iter_rows()):
        count[clusters[index]] += 1
        if count[clusters[index]] > per_wording:
            yield question_id, table, REPEATED_WORDING, questions["question_id"][clusters[index]]


def without(tables: dict[str, pl.LazyFrame], left_out: pl.DataFrame) -> dict[str, pl.LazyFrame]:
    """The tables less what is left out: rows about those pictures, rows of those questions, and those rows."""
    ids = left_out.lazy().select("row_id")
    kept = {}
    for name, rows in tables.items():
        columns = rows.collect_schema().names()
        for key in ("image_id", "question_id", KEYS.get(name)):
            if key in columns:
                rows = rows.join(ids, left_on=key, right_on="row_id", how="anti", maintain_order="left")
        kept[name] = rows
    return kept


def rows_with_special_texts(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    """Examples, pairs and prompts with a text that trainers read as something else, see :mod:`.special_texts`.

    Args:
        tables: lazy frames of ``sft_mix``, ``preference_pairs`` and ``rl_prompts``; read as a stream.

    Returns:
        As :func:`exclusions`.
    """
    texts = {
        "sft_mix": [message_text(pl.col("messages"))],
        "preference_pairs": [message_text(pl.col("prompt")), pl.col("chosen"), pl.col("rejected")],
        "rl_prompts": [message_text(pl.col("messages")), pl.col("answer_text")],
    }
    found = [
        tables[table].select(
            pl.col(KEYS[table]).alias("row_id"), pl.lit(table).alias("table"), special_text_reason(*own).alias("reason"),
            pl.lit("its text would be read as a picture, a turn or a call of a tool").alias("detail"),
        ).filter(pl.col("reason").is_not_null())
        for table, own in texts.items()
    ]  # fmt: skip
    return pl.concat(found).sort(pl.col("row_id").str.slice(-16), "row_id").collect(engine="streaming")


def counted(left_out: pl.DataFrame) -> list[dict]:
    """``reason``, ``table`` and ``rows``, as the table ``release`` keeps them."""
    counts = left_out.group_by("reason", "table").agg(pl.len().cast(pl.Int64).alias("rows")).sort("reason", "table")
    return counts.to_dicts()


def _frame(rows: Iterator[tuple[str, str, str, str]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA, orient="row")
