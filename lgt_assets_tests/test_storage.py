"""DeltaStore on real tables: a shard is replaced whole, others stay, and racing processes lose nothing."""

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest
from deltalake import DeltaTable

from lgt_assets.errors import StorageError
from lgt_assets.schemas import SCHEMAS, frame
from lgt_assets.storage import DeltaStore, canonical_rows
from lgt_assets_tests.object_stores import free_ports, reach
from lgt_assets_tests.rows import image_row


@pytest.fixture
def store(tables_root: str) -> DeltaStore:
    return DeltaStore(tables_root)


def images(shard: str, count: int) -> pl.DataFrame:
    return frame("images", [image_row(n, shard=shard) for n in range(count)])


def rejections(shard: str, asset: str, count: int) -> pl.DataFrame:
    row = {
        "shard": shard,
        "asset": asset,
        "parent_id": None,
        "request_key": None,
        "reason": "cut_off",
        "detail": "",
        "raw": "",
        "measures": [],
    }
    return frame("rejections", [row | {"ordinal": n, "rejection_id": f"x.{shard}.{asset}{n}"} for n in range(count)])


def test_replacing_a_shard_leaves_the_others_as_they_were(store: DeltaStore) -> None:
    store.replace("images", images("a-00000", 5), shard="a-00000")
    store.replace("images", images("a-00001", 4), shard="a-00001")
    before = canonical_rows(store.read("images", shards=["a-00001"]))
    store.replace("images", images("a-00000", 2), shard="a-00000")
    assert store.read("images", shards=["a-00000"]).height == 2
    assert canonical_rows(store.read("images", shards=["a-00001"])) == before


def test_the_same_rows_again_make_no_new_version(store: DeltaStore) -> None:
    first = store.replace("images", images("a-00000", 5), shard="a-00000")
    assert store.replace("images", images("a-00000", 5), shard="a-00000") == first
    assert store.replace("images", images("a-00000", 4), shard="a-00000") == first + 1


def test_rows_may_come_in_batches(store: DeltaStore) -> None:
    rows = images("a-00000", 7)
    first = store.replace("images", lambda: iter([rows.head(3), rows.slice(3, 3), rows.tail(1)]), shard="a-00000")
    assert store.read("images").equals(rows)
    assert store.replace("images", rows, shard="a-00000") == first
    assert store.replace("images", lambda: iter([rows.head(5), rows.tail(2)]), shard="a-00000") == first
    changed = rows.with_columns(caption=pl.when(pl.col("ordinal") == 5).then(pl.lit("other")).otherwise("caption"))
    assert store.replace("images", lambda: iter([changed.head(4), changed.tail(3)]), shard="a-00000") == first + 1
    assert store.replace("images", lambda: iter([changed.head(4)]), shard="a-00000") == first + 2
    assert store.read("images").equals(changed.head(4))
    store.replace("images", lambda: iter([]), shard="a-00000")
    assert store.read("images").height == 0


def test_a_wrong_batch_writes_nothing(store: DeltaStore) -> None:
    rows = images("a-00000", 4)
    store.replace("images", rows, shard="a-00000")
    with pytest.raises(StorageError, match="in the slice"):
        store.replace("images", lambda: iter([rows.head(1), images("a-00001", 1)]), shard="a-00000")
    assert store.read("images").equals(rows)


def test_zero_rows_empty_the_shard(store: DeltaStore) -> None:
    store.replace("images", images("a-00000", 5), shard="a-00000")
    store.replace("images", images("a-00000", 0), shard="a-00000")
    assert store.read("images").height == 0
    assert store.shards("images") == []


def test_assets_that_share_a_table_keep_to_their_slice(store: DeltaStore) -> None:
    for asset in ("images", "seed_questions"):
        store.replace("rejections", rejections("a-00000", asset, 3), shard="a-00000", asset=asset)
    store.replace("rejections", rejections("a-00000", "images", 1), shard="a-00000", asset="images")
    counts = store.read("rejections").group_by("asset").len().sort("asset")
    assert counts.rows() == [("images", 1), ("seed_questions", 3)]
    with pytest.raises(StorageError, match="say which asset"):
        store.replace("rejections", rejections("a-00000", "images", 1), shard="a-00000")


def test_rows_of_another_shard_or_schema_are_refused_and_nothing_is_lost(store: DeltaStore) -> None:
    store.replace("images", images("a-00000", 5), shard="a-00000")
    with pytest.raises(StorageError, match="in the slice"):
        store.replace("images", images("a-00001", 1), shard="a-00000")
    with pytest.raises(StorageError, match="width"):
        store.replace("images", images("a-00000", 1).with_columns(width=pl.lit(1.5)), shard="a-00000")
    assert store.read("images").height == 5


def test_only_the_shards_files_are_opened(tmp_path: object) -> None:
    store = DeltaStore(str(tmp_path))
    for shard in ("a-00000", "a-00001"):
        store.replace("images", images(shard, 3), shard=shard)
    for file in (tmp_path / "images" / "shard=a-00001").glob("*.parquet"):
        file.write_bytes(b"not parquet")
    assert store.read("images", shards=["a-00000"]).height == 3


def test_earlier_versions_can_be_read(store: DeltaStore) -> None:
    first = store.replace("images", images("a-00000", 5), shard="a-00000")
    store.replace("images", images("a-00000", 1), shard="a-00000")
    assert store.read("images", version=first).height == 5


def test_the_commit_names_its_run(store: DeltaStore) -> None:
    store.replace("images", images("a-00000", 1), shard="a-00000", metadata={"run_id": "r1", "code_version": "7"})
    assert DeltaTable(store.uri("images")).history(1)[0]["run_id"] == "r1"


def test_a_table_of_another_version_is_named(store: DeltaStore) -> None:
    pl.DataFrame({"shard": ["a-00000"], "old": [1]}).write_delta(store.uri("images"))
    with pytest.raises(StorageError, match="another version of lgt_assets"):
        store.replace("images", images("a-00000", 1), shard="a-00000")


def test_every_table_can_be_created_and_read_empty(store: DeltaStore) -> None:
    for table in SCHEMAS:
        store.create(table)
        assert store.read(table).columns == frame(table, []).columns


def _write_shards(root: str, writer: int, start: object) -> None:
    start.wait()
    for turn in range(4):
        for shard in (f"w{writer}-00000", "both-00000"):
            DeltaStore(root).replace("images", images(shard, 10 * (writer + 1) + turn), shard=shard)


def test_racing_processes_create_once_and_lose_nothing(tables_root: str) -> None:
    context = multiprocessing.get_context("spawn")
    start = context.Event()
    writers = [context.Process(target=_write_shards, args=(tables_root, n, start)) for n in range(3)]
    for writer in writers:
        writer.start()
    start.set()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    store = DeltaStore(tables_root)
    assert [store.read("images", shards=[f"w{n}-00000"]).height for n in range(3)] == [13, 23, 33]
    assert store.read("images", shards=["both-00000"]).height in (13, 23, 33)


def test_racing_creators_all_find_the_table(bucket_root: str) -> None:
    """Below a URL nothing locks: deltalake refuses all but one of them."""
    for turn in range(5):
        barrier = threading.Barrier(6)

        def create(root: str, barrier: threading.Barrier) -> None:
            barrier.wait()
            DeltaStore(root).create("images")

        with ThreadPoolExecutor(6) as creators:
            for made in [creators.submit(create, f"{bucket_root}/{turn}", barrier) for _ in range(6)]:
                made.result()
        assert DeltaStore(f"{bucket_root}/{turn}").read("images").height == 0


def test_a_place_that_cannot_be_written_is_named(bucket_root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StorageError, match="s3://no-such-bucket/tables/images"):
        DeltaStore("s3://no-such-bucket/tables").create("images")


def test_a_store_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    reach(f"http://127.0.0.1:{free_ports(1)[0]}", monkeypatch)
    store = DeltaStore("s3://bucket/here", storage_options={"max_retries": "0"})
    for read in (store.open, store.version):
        with pytest.raises(StorageError, match="table images at s3://bucket/here/images cannot be read: .*S3"):
            read("images")
