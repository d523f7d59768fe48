"""Whether traces agree with their answers: the flags follow from the indices, and thoughts come to the answer given."""

import polars as pl

from lgt_assets.quality.findings import Finding, Number, Slice, too_few
from lgt_assets.synthesis.intervals import wilson_interval

DIGITS = 16
_OWN_ID = {"distilled_cots": "cot_id", "expanded_traces": "trace_id"}


def consistency(rows: Slice) -> Finding:
    """``is_correct`` and ``transition`` of every row; what the thoughts of a sample of rows come to.

    The sample are the rows whose ids hash lowest: the same whenever it is drawn.
    """
    from lgt_assets.synthesis.conclusions import concluded_index

    traces = _simple(rows) if rows.table == "distilled_cots" else _expanded(rows)
    counted = traces.select(pl.len().alias("rows"), (~pl.col("flags_agree")).sum().alias("wrong"))
    count, wrong = counted.collect(engine="streaming").row(0)
    settings, own_id = rows.settings, _OWN_ID[rows.table]
    drawn = traces.bottom_k(settings.thoughts_read, by=pl.col(own_id).str.slice(-DIGITS)).collect(engine="streaming")
    read = contradicted = 0
    example = ""
    for row in drawn.iter_rows(named=True):
        concluded = concluded_index(row["simple"], row["added"], row["choices_shown"])
        if concluded is not None:
            read += 1
            if concluded != row["answer_index"]:
                contradicted, example = contradicted + 1, example or row[own_id]
    numbers: dict[str, Number] = {
        "rows": count, "wrong_flags": wrong, "thoughts_drawn": drawn.height, "thoughts_that_conclude": read,
        "contradictions": contradicted, "threshold": settings.contradictions,
    }  # fmt: skip
    if wrong:
        return Finding(
            False, f"{wrong} of {count} rows say of themselves what their answers do not: make the shard again", numbers
        )
    if read < settings.minimum_rows:
        return too_few(read, settings.minimum_rows, "thoughts that conclude", numbers)
    numbers["rate"] = round(contradicted / read, 4)
    passed = wilson_interval(contradicted, read)[0] <= settings.contradictions
    shown = "" if passed else f", such as {example}"
    return Finding(
        passed, f"{contradicted} of {read} thoughts come to another answer than the one given{shown}", numbers
    )


def _simple(rows: Slice) -> pl.LazyFrame:
    read = rows.scan("cot_id", "thought", "choices_shown", "answer_index", "right_index", "is_correct")
    agree = pl.col("is_correct") == (pl.col("answer_index") == pl.col("right_index"))
    return read.with_columns(agree.alias("flags_agree"), pl.lit("").alias("simple"), pl.col("thought").alias("added"))


def _expanded(rows: Slice) -> pl.LazyFrame:
    """Traces beside the simple chains they continue; one whose chain is missing is the check of parents' to find."""
    simple = rows.scan("cot_id", "thought", "choices_shown", "right_index", "is_correct", table="distilled_cots").select(
        "cot_id", "choices_shown", "right_index", pl.col("thought").alias("simple"), pl.col("is_correct").alias("was_correct")
    )  # fmt: skip
    read = rows.scan("trace_id", "cot_id", "added_thought", "answer_index", "is_correct", "transition")
    letters = [pl.when(name).then(pl.lit("O")).otherwise(pl.lit("X")) for name in ("was_correct", "is_correct")]
    agree = (pl.col("is_correct") == (pl.col("answer_index") == pl.col("right_index"))) & (
        pl.col("transition") == pl.concat_str(letters)
    )
    return read.join(simple, on="cot_id").with_columns(
        agree.alias("flags_agree"), pl.col("added_thought").alias("added")
    )
