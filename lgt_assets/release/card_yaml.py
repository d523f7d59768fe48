"""The YAML header of a dataset card: what the Hugging Face hub and its library read of an export."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from lgt_assets.release.licences import licence_header
from lgt_assets.release.writing import Written

TITLE = "Long Grounded Thoughts"
_PART = re.compile(r"-\d{5}(?=\.[a-z]+$)")
# (rows below, name) as the hub names sizes.
_SIZES = (
    (10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"), (10**9, "100M<n<1B"),
)  # fmt: skip
_LARGEST = "n>1B"
MERGED = "sft_stage2_merged"  # its rows are those of two others


def by_config(written: Iterable[Written]) -> dict[str, list[Written]]:
    """Splits with rows by config, in the order given; the hub's library fails on a split without rows."""
    found: dict[str, list[Written]] = {}
    for one in written:
        if one.rows:
            found.setdefault(one.config, []).append(one)
    return found


def header(facts: Mapping, written: Sequence[Written], tags: Sequence[str]) -> str:
    """The header with its two rulers.

    ``dataset_info`` lists every column in the form that `datasets` 3.6, 4 and 5 read alike; ``num_bytes`` are those of the
    files, which the pictures' bytes make up almost wholly.

    Args:
        facts: see :func:`lgt_assets.release.facts.release_facts`.
        written: what was written of every config and split.
        tags: further tags.
    """
    configs = by_config(written)
    rows = sum(one.rows for one in written if one.config != MERGED)
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


def _config(name: str, splits: Sequence[Written], is_first: bool) -> dict:
    patterns = [{"split": one.split, "path": _pattern(one.files)} for one in splits]
    return {"config_name": name, "data_files": patterns} | ({"default": True} if is_first else {})


def _pattern(paths: Sequence[str]) -> str | list[str]:
    """One pattern for all parts of a split, so that a part more needs no other header."""
    patterns = sorted({_PART.sub("-*", path) for path in paths})
    return patterns[0] if len(patterns) == 1 else patterns


def _dataset_info(name: str, splits: Sequence[Written]) -> dict:
    sizes = [{"name": one.split, "num_bytes": one.bytes, "num_examples": one.rows} for one in splits]
    total = sum(one.bytes for one in splits)
    info = {"config_name": name, "features": yaml_features(splits[0].features), "splits": sizes}
    return info | {"download_size": total, "dataset_size": total}


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
