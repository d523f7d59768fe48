"""Shards as the machines of a cluster share them: a shard's file, and its pictures named by their sha256, on an object store.

A source is added on one machine, and its shards are made on any. What lies there is laid out as in the state folder:
``sources/NAME/NAME-00000.jsonl`` beside ``images/NAME/<first 2 hex>/<sha256>``. Pictures come before the shard that names them.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from lgt_assets.errors import NotFoundError, StorageError
from lgt_assets.object_store import ObjectStore
from lgt_assets.shared_pictures import read_shared
from lgt_assets.sources.inspection import read_picture
from lgt_assets.sources.kept_pictures import kept_path
from lgt_assets.sources.records import RowRejected
from lgt_assets.sources.rows import ShardRows, shard_rows
from lgt_assets.sources.shard_files import REMOVED_PICTURE, pictures_folder, shard_names, shard_path, source_of

_AT_ONCE = 16
_PICTURES = ("image", REMOVED_PICTURE)
Progress = Callable[[int, int], None]


def picture_key(name: str, sha256: str) -> str:
    """Where a picture of a source lies on the object store."""
    return f"images/{name}/{sha256[:2]}/{sha256}"


def shard_key(shard: str) -> str:
    """Where a shard's file lies on the object store."""
    return f"sources/{source_of(shard)}/{shard}.jsonl"


def share_source(state: Path, store: ObjectStore, name: str, progress: Progress = lambda _done, _total: None) -> int:
    """Put what is not there yet of a source on the object store, also pictures that could not be read before.

    Returns:
        How many shards were not there.

    Raises:
        StorageError: the store does not answer (what was put there stays, the next call goes on), or a shard that lies there
            holds other pictures (no shard is put).
    """
    shards = shard_names(state, name)
    there = store.sizes(f"sources/{name}")
    known, missing = ([shard for shard in shards if (shard_key(shard) in there) is held] for held in (True, False))
    pictures = store.sizes(f"images/{name}") if shards else {}

    def complete(shard: str) -> None:
        for key, path in _known(state, store, shard):
            if key not in pictures:
                _share_picture(store, key, path)

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        for _ in threads.map(complete, known):
            pass
    for done, shard in enumerate(missing):
        progress(done, len(missing))
        share_shard(state, store, shard, pictures)
    progress(len(missing), len(missing))
    return len(missing)


def _known(state: Path, store: ObjectStore, shard: str) -> list[tuple[str, Path]]:
    """Keys and files here of the pictures of a shard that lies there, but those taken down on either side.

    Raises:
        StorageError: what lies there holds other pictures.
    """
    _header, *here = _lines(shard_path(state, shard).read_bytes())
    try:
        _header, *there = _lines(store.read(shard_key(shard)))
    except FileNotFoundError as error:
        raise StorageError(f"{store.address(shard_key(shard))} was removed meanwhile; add the source again") from error
    ours, theirs = ([line for line in lines if line["type"] in _PICTURES] for lines in (here, there))
    if _sha256s(ours) != _sha256s(theirs):
        raise StorageError(
            f"shard {shard} below {store.root} holds other pictures than here: another source of the name {source_of(shard)}, or "
            "the same one cut differently, was shared from another machine; add this one under another name, or with the "
            "options and the shard size with which it was added there"
        )
    return [
        (picture_key(source_of(shard), one["sha256"]), state / one["path"])
        for one, other in zip(ours, theirs, strict=True)
        if one["type"] == other["type"] == "image"
    ]


def _sha256s(pictures: list[dict]) -> list[str]:
    """Of one that was taken down its tombstone says it. A picture's id follows from shard and sha256."""
    return [line["digest"] if line["type"] == REMOVED_PICTURE else line["sha256"] for line in pictures]


def _lines(content: bytes) -> list[dict]:
    return [json.loads(line) for line in content.splitlines()]


def share_shard(state: Path, store: ObjectStore, shard: str, held: Collection[str] = ()) -> None:
    """Put a shard, as it is in the state folder now, in the place of what is there, and its pictures but those of ``held`` keys.

    A picture that is missing or not the one that was added is left out: whoever makes the shard then rejects it.
    """
    name = source_of(shard)
    header, *lines = _lines(shard_path(state, shard).read_bytes())
    wanted = {}
    for line in lines:
        if line["type"] == "image":
            key = picture_key(name, line["sha256"])
            wanted[key] = state / line["path"]
            line["path"] = key
    missing = {key: path for key, path in wanted.items() if key not in held}
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        list(threads.map(lambda item: _share_picture(store, *item), missing.items()))
    text = "".join(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in (header, *lines))
    store.write(shard_key(shard), text.encode())


def _share_picture(store: ObjectStore, key: str, path: Path) -> None:
    try:
        content = read_picture(path)
    except RowRejected:
        return
    if hashlib.sha256(content).hexdigest() == key.rpartition("/")[2]:
        store.write(key, content)


def shared_shard_rows(state: Path, store: ObjectStore, shard: str) -> ShardRows:
    """:func:`lgt_assets.sources.rows.shard_rows` of a shard as it is shared; ``uri`` says where a picture lies there.

    A shard of this machine's that was never shared is shared first.

    Raises:
        NotFoundError: it is neither there nor here.
        StorageError: the store does not answer.
    """
    if not store.holds(shard_key(shard)):
        if not shard_path(state, shard).is_file():
            raise NotFoundError(
                f"no shard {shard} below {store.root}: on the machine where the source was added, add it again with LGT_STORE set"
            )
        share_shard(state, store, shard)
    with _fetched(store, shard) as folder:
        rows = shard_rows(folder, shard)
    for image in rows.images:
        image["uri"] = store.address(picture_key(source_of(shard), image["sha256"]))
    for rejection in rows.rejections:
        rejection["detail"] = rejection["detail"].replace(str(folder), store.root)
    return rows


@contextmanager
def _fetched(store: ObjectStore, shard: str) -> Iterator[Path]:
    """A state folder with this shard alone, gone afterwards."""
    name = source_of(shard)
    content = store.read(shard_key(shard))
    with tempfile.TemporaryDirectory(prefix="lgt-shard-") as folder:
        state = Path(folder)
        shard_path(state, shard).parent.mkdir(parents=True)
        shard_path(state, shard).write_bytes(content)
        lines = [json.loads(line) for line in content.splitlines()[1:]]
        sha256s = {line["sha256"] for line in lines if line["type"] == "image"}
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            list(threads.map(lambda sha256: _fetch_picture(store, state, name, sha256), sha256s))
        yield state


def _fetch_picture(store: ObjectStore, state: Path, name: str, sha256: str) -> None:
    path = kept_path(pictures_folder(state, name), sha256)
    try:
        content = read_shared(store.address(picture_key(name, sha256)), sha256)
    except FileNotFoundError:
        return  # shard_rows rejects it
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
