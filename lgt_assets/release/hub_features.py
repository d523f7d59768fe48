"""What the Hugging Face library is told of a parquet file: its columns' features, in the form that releases 3.6 to 5.x read.

``Sequence`` is the older name of what newer releases call ``List``; all of them read it. Without this, pictures arrive as plain
structs, which TRL and OpenRLHF do not take.
"""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

KEY = "huggingface"


def features(schema: "pa.Schema", image_columns: tuple[str, ...]) -> dict[str, Any]:
    """The feature of every column, as JSON-able values.

    Args:
        schema: of the file.
        image_columns: those that hold lists of structs of ``bytes`` and ``path``.
    """
    images = {"feature": {"_type": "Image"}, "_type": "Sequence"}
    return {one.name: images if one.name in image_columns else _feature(one.type) for one in schema}


def image_columns_of(schema: "pa.Schema") -> tuple[str, ...]:
    """Columns that hold pictures, by their type: lists of structs of ``bytes`` and ``path``."""
    import pyarrow.types as types

    lists = [one for one in schema if types.is_list(one.type) and types.is_struct(one.type.value_type)]
    return tuple(one.name for one in lists if {field.name for field in one.type.value_type} == {"bytes", "path"})


def metadata(schema: "pa.Schema", image_columns: tuple[str, ...]) -> dict[str, str]:
    """The schema metadata that carries :func:`features`."""
    return {KEY: json.dumps({"info": {"features": features(schema, image_columns)}})}


def _feature(kind: "pa.DataType") -> Any:
    import pyarrow.types as types

    if types.is_struct(kind):
        return {kind.field(place).name: _feature(kind.field(place).type) for place in range(kind.num_fields)}
    if types.is_list(kind) or types.is_large_list(kind):
        item = _feature(kind.value_type)
        # A list of structs is written as a list of one; {"_type": "Sequence"} of a struct would turn it inside out.
        return [item] if types.is_struct(kind.value_type) else {"feature": item, "_type": "Sequence"}
    return {
        "dtype": "string" if types.is_large_string(kind) else str(kind).replace("double", "float64"),
        "_type": "Value",
    }
