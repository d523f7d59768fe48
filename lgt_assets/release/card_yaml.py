"""The YAML header of a dataset card: what the Hugging Face hub and its library read of an export."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from lgt_assets.release.licences import licence_header

TITLE = "Long Grounded Thoughts"
_PART = re.compile(r"-\d{5}(?=\.[a-z]+$)")
# (rows below, name) as the hub names sizes.
_SIZES = (
    (10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"), (10**9, "100M<n<1B"),
)  # fmt: skip
_LARGEST = "n>1B"
MERGED = "sft_stage2_merged"  # its rows are those of two others


@dataclass(frozen=True)
class DataFile:
    """A file of rows in an export.

    Attributes:
        config, split: whose rows it holds.
        path: relative to the export; large splits have parts that end in ``-00000``, ``-00001`` ….
        rows: how many.
        bytes: of the file.
        features: what :func:`lgt_assets.release.hub_features.features` says of its columns; empty: not told.
    """

    config: str
    split: str
    path: str
    rows: int
    bytes: int
    features: Mapping[str, Any]


def by_config(files: Iterable[DataFile]) -> dict[str, dict[str, list[DataFile]]]:
    """Files with rows by config and split, in the order given; the hub fails on a split without rows."""
    found: dict[str, dict[str, list[DataFile]]] = {}
    for file in files:
        if file.rows:
            found.setdefault(file.config, {}).setdefault(file.split, []).append(file)
    return found


def header(facts: Mapping, files: Sequence[DataFile], tags: Sequence[str]) -> str:
    """The header with its two rulers.

    ``dataset_info`` lists every column in the form that `datasets` 3.6, 4 and 5 read alike; ``num_bytes`` are those of the
    files, which the pictures' bytes make up almost wholly.

    Args:
        facts: see :func:`lgt_assets.release.facts.release_facts`.
        files: all files of rows.
        tags: further tags.
    """
    configs = by_config(files)
    rows = sum(file.rows for file in files if file.config != MERGED)
    tasks = ["visual-question-answering", "image-text-to-text"]
    tasks += ["reinforcement-learning"] if any(name.startswith("rl_") for name in configs) else []
    fields: dict[str, Any] = licence_header(facts["pictures"])
    fields |= {"pretty_name": TITLE, "task_categories": tasks}
    if _is_english(facts):
        fields["language"] = ["en"]
    fields |= {
        "size_categories": [next((name for below, name in _SIZES if rows < below), _LARGEST)],
        "annotations_creators": ["machine-generated"],
        "tags": ["long-grounded-thoughts", "visual-reasoning", "chain-of-thought", "grounding", "synthetic", *tags],
    }
    if configs:
        fields["configs"] = [_config(name, splits, place == 0) for place, (name, splits) in enumerate(configs.items())]
        fields["dataset_info"] = [_dataset_info(name, splits) for name, splits in configs.items()]
    return f"---\n{yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=120)}---\n"


def _config(name: str, splits: Mapping[str, Sequence[DataFile]], is_first: bool) -> dict:
    patterns = [{"split": split, "path": _pattern([file.path for file in files])} for split, files in splits.items()]
    return {"config_name": name, "data_files": patterns} | ({"default": True} if is_first else {})


def _pattern(paths: Sequence[str]) -> str | list[str]:
    """One pattern for all parts of a split, so that a part more needs no other header."""
    patterns = sorted({_PART.sub("-*", path) for path in paths})
    return patterns[0] if len(patterns) == 1 else patterns


def _dataset_info(name: str, splits: Mapping[str, Sequence[DataFile]]) -> dict:
    features = next(iter(splits.values()))[0].features
    sizes = [
        {
            "name": split,
            "num_bytes": sum(file.bytes for file in files),
            "num_examples": sum(file.rows for file in files),
        }
        for split, files in splits.items()
    ]
    total = sum(size["num_bytes"] for size in sizes)
    told = {"features": yaml_features(features)} if features else {}
    return {"config_name": name} | told | {"splits": sizes, "download_size": total, "dataset_size": total}


def yaml_features(features: Mapping[str, Any]) -> list[dict]:
    """Features in their JSON form as the header spells them.

    A list of structs is ``list``, every other list ``sequence``: newer releases would turn a ``sequence`` of structs inside
    out, and releases before 4 know no ``List``.
    """
    return [{"name": name} | _spelt(feature) for name, feature in features.items()]


def _spelt(feature: Any) -> dict:
    if isinstance(feature, list):
        return {"list": yaml_features(feature[0])}
    kind = feature.get("_type")
    if not isinstance(kind, str):  # a struct; it may have a field of that name
        return {"struct": yaml_features(feature)}
    if kind in ("Sequence", "List"):
        item = _spelt(feature["feature"])
        if "struct" in item:
            return {"list": item["struct"]}
        return {"sequence": item["dtype"] if list(item) == ["dtype"] else item}
    return {"dtype": feature["dtype"] if kind == "Value" else kind.lower()}


def _is_english(facts: Mapping) -> bool:
    asked = {row["value"] for row in facts["thresholds"] if row["name"] == "language"}
    return asked == {"english"}
