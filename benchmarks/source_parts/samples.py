"""Small samples of every kind of source in its published layout, with pictures made by code."""

import csv
import hashlib
import io
import json
import struct
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

SIDE = 32
CAPTION = (
    "A small sheet of one colour, number {number}, lies on a plain table in even light, and nothing else is to be seen."
)
BOX = [2.0, 3.0, 20.0, 25.5]


def picture_of(number: int) -> bytes:
    """A PNG of 32 x 32 pixels, another content for another number; 0.02 ms, where an encoder takes ten times that."""
    row = b"\0" + struct.pack(">I", number)[1:] * SIDE
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(row * SIDE, 1)), (b"IEND", b""),
    )  # fmt: skip
    chunks = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def write_pictures(folder: Path, count: int) -> None:
    """``folder/000/000017.png`` and so on: a thousand a folder."""
    for number in range(count):
        if number % 1000 == 0:
            (folder / f"{number // 1000:03d}").mkdir(parents=True, exist_ok=True)
        (folder / name_of(number)).write_bytes(picture_of(number))


def name_of(number: int) -> str:
    """Where :func:`write_pictures` put a picture."""
    return f"{number // 1000:03d}/{number:06d}.png"


def manifest_rows(count: int, *, declared: bool = False) -> Iterator[dict]:
    """Rows of a manifest beside the pictures; ``declared`` ones say sha256 and size as well."""
    for number in range(count):
        row = {
            "id": f"p{number}", "image": name_of(number), "caption": CAPTION.format(number=number), "license": "CC0-1.0",
            "boxes": [{"label": "sheet", "box": BOX, "phrase": "small sheet"}],
        }  # fmt: skip
        if declared:
            row |= {"sha256": hashlib.sha256(picture_of(number)).hexdigest(), "width": SIDE, "height": SIDE}
        yield row


def write_manifest(folder: Path, count: int, name: str, *, declared: bool = False) -> Path:
    """A manifest beside the pictures, by its ending JSON Lines, CSV or Parquet."""
    path, rows = folder / name, manifest_rows(count, declared=declared)
    if path.suffix == ".jsonl":
        with path.open("w") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
    elif path.suffix == ".csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, ["id", "image", "caption", "license", "boxes"])
            writer.writeheader()
            writer.writerows(row | {"boxes": json.dumps(row["boxes"])} for row in rows)
    else:
        import polars as pl

        pl.DataFrame(list(rows)).write_parquet(path)
    return path


def write_docci(folder: Path, count: int) -> dict:
    """DOCCI; its options."""
    write_pictures(folder / "images", count)
    with (folder / "docci_descriptions.jsonlines").open("w") as file:
        for number in range(count):
            line = {"example_id": f"train_{number:05d}", "split": "train", "image_file": name_of(number)}
            file.write(json.dumps(line | {"description": CAPTION.format(number=number)}) + "\n")
    return {"path": str(folder)}


def write_coco(folder: Path, count: int) -> dict:
    """COCO, with polygons and five captions a picture; its options."""
    write_pictures(folder / "val2017", count)
    (folder / "annotations").mkdir()
    images = [
        {
            "license": 4,
            "file_name": name_of(n),
            "coco_url": "",
            "height": SIDE,
            "width": SIDE,
            "date_captured": "",
            "id": n,
        }
        for n in range(count)
    ]
    boxes = [
        {
            "segmentation": [[1.5, 2.0] * 20],
            "area": 9.0,
            "iscrowd": 0,
            "image_id": n,
            "bbox": BOX,
            "category_id": 1,
            "id": n,
        }
        for n in range(count)
    ]
    captions = [
        {"image_id": n, "id": 5 * n + k, "caption": f"{k}: {CAPTION.format(number=n)}"}
        for k in range(5)
        for n in range(count)
    ]
    shared = {
        "info": {"year": 2017},
        "licenses": [{"url": "", "id": 4, "name": "Attribution License"}],
        "images": images,
    }
    categories = [{"supercategory": "thing", "id": 1, "name": "sheet"}]
    for name, content in (
        ("instances", {"annotations": boxes, "categories": categories}), ("captions", {"annotations": captions}),
    ):  # fmt: skip
        (folder / "annotations" / f"{name}_val2017.json").write_text(json.dumps(shared | content))
    return {"path": str(folder)}


def write_hub(folder: Path, count: int) -> dict:
    """Parquet with an Image column, as push_to_hub writes it; its options."""
    import polars as pl

    (folder / "data").mkdir()
    rows = [
        {"image": {"bytes": picture_of(n), "path": f"{n}.png"}, "caption": CAPTION.format(number=n)}
        for n in range(count)
    ]
    pl.DataFrame(rows).write_parquet(folder / "data" / "train-00000-of-00001.parquet", row_group_size=100)
    return {"path": str(folder), "part": "train"}


def write_webdataset(folder: Path, count: int) -> dict:
    """A tar file of .png and .txt; its options."""
    with tarfile.open(folder / "00000.tar", "w") as tar:
        for number in range(count):
            for ending, content in (("png", picture_of(number)), ("txt", CAPTION.format(number=number).encode())):
                member = tarfile.TarInfo(f"{number:09d}.{ending}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return {"path": str(folder)}
