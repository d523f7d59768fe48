"""Lists of pictures in arrow tables: their contents put where rows name them by number, without a copy."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


def places_in(lists: "pa.ChunkedArray") -> "np.ndarray":
    """What the lists hold, as int64."""
    return lists.combine_chunks().flatten().to_numpy().astype("int64")


def contents_at(contents: "pa.LargeBinaryArray", places: "np.ndarray") -> "pa.LargeBinaryArray":
    """The contents at ``places``, int64; where these follow one another, without a copy."""
    import pyarrow as pa

    if not len(places):
        return contents.slice(0, 0)
    if (places[1:] - places[:-1] == 1).all():
        return contents.slice(places[0], len(places))
    return contents.take(pa.array(places))


def with_images(table: "pa.Table", column: str, contents: Sequence["pa.LargeBinaryArray"]) -> "pa.Table":
    """The table with structs of ``bytes`` and ``path`` in ``column``'s lists: the library's Image, one of the two being null.

    Args:
        table: the lists hold places, or paths of pictures.
        column: theirs.
        contents: in the lists' order, one array for each of the table's chunks, where they hold places; they are not copied.
    """
    import pyarrow as pa

    lists = table[column]
    if pa.types.is_string(lists.type.value_type):
        images = [_image_lists(one, pa.nulls(len(one.flatten()), pa.binary()), one.flatten()) for one in lists.chunks]
    else:
        pairs = zip(lists.chunks, contents, strict=True)
        images = [_image_lists(one, own.cast(pa.binary()), pa.nulls(len(own), pa.string())) for one, own in pairs]
    return table.set_column(table.schema.get_field_index(column), column, pa.chunked_array(images))


def _image_lists(lists: "pa.ListArray", contents: "pa.BinaryArray", paths: "pa.StringArray") -> "pa.ListArray":
    """Lists as long as ``lists``, of pictures."""
    import pyarrow as pa
    import pyarrow.compute as pc

    offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(pc.list_value_length(lists))])
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays([contents, paths], ["bytes", "path"]))
