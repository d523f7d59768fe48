"""Message lists as expressions: turns taken apart, and placeholders for pictures put in; nothing is done row by row."""

import polars as pl

PLACEHOLDER = "<image>"


def assistant_text(messages: str) -> pl.Expr:
    """Text of the last turn of a column of messages."""
    return pl.col(messages).list.last().struct.field("content")


def without_last(messages: str) -> pl.Expr:
    """All turns but the last."""
    return pl.col(messages).list.slice(0, pl.col(messages).list.len() - 1)


def as_turn(text: str, role: str = "assistant") -> pl.Expr:
    """A list of one turn."""
    return pl.concat_list(pl.struct(pl.lit(role).alias("role"), pl.col(text).alias("content")))


def with_placeholders(messages: pl.Expr, pictures: pl.Expr, most_pictures: int) -> pl.Expr:
    """``messages`` with ``<image>`` for each picture before the text of the first user turn.

    Args:
        messages: lists of role and content.
        pictures: lists, one item a picture.
        most_pictures: the longest of them.
    """
    chosen = messages
    for count in range(1, most_pictures + 1):
        chosen = pl.when(pictures.list.len() == count).then(_prefixed(messages, PLACEHOLDER * count)).otherwise(chosen)
    return chosen


def _prefixed(messages: pl.Expr, prefix: str) -> pl.Expr:
    role, content = (pl.element().struct.field(name) for name in ("role", "content"))
    is_first_user = (role == "user") & ((role == "user").cum_sum() == 1)
    text = pl.when(is_first_user).then(pl.lit(prefix) + content).otherwise(content)
    return messages.list.eval(pl.struct(role.alias("role"), text.alias("content")))
