"""Objects on two real S3 servers: whole or absent, listed, removed; and what is said where a store cannot be reached."""

import secrets

import pytest

from lgt_assets.errors import SettingsError, StorageError
from lgt_assets.object_store import ObjectStore
from lgt_assets_tests.object_stores import free_ports, objects_below, reach


def test_what_is_written_is_read_listed_and_removed(bucket_root: str) -> None:
    store = ObjectStore(bucket_root)
    large = secrets.token_bytes((32 << 20) + 1)  # in three parts
    contents = {"a/b/one": b"1", "a/two": b"", "a/b/large": large}
    for key, content in contents.items():
        assert not store.holds(key)
        store.write(key, content)
        assert store.holds(key)
    assert {key: store.read(key) for key in contents} == contents
    assert store.sizes("a") == {"a/b/large": len(large), "a/b/one": 1, "a/two": 0} == objects_below(bucket_root)
    assert store.sizes("a/b") == {"a/b/large": len(large), "a/b/one": 1}
    assert store.sizes("nothing") == {}
    store.write("a/two", b"anew")
    assert store.read("a/two") == b"anew"
    store.remove(["a/two", "a/never"])
    assert objects_below(bucket_root).keys() == {"a/b/large", "a/b/one"}
    with pytest.raises(FileNotFoundError):
        store.read("a/two")


def test_a_bucket_that_is_not_there_is_named(
    moto_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:  # SeaweedFS makes it
    reach(moto_server, monkeypatch)
    store = ObjectStore("s3://no-such-bucket/here")
    with pytest.raises(StorageError, match=r"s3://no-such-bucket/here/a cannot be written: .*AWS_… in the environment"):
        store.write("a", b"1")
    with pytest.raises(StorageError, match="s3://no-such-bucket/here/a cannot be listed"):
        store.sizes("a")


def test_a_server_that_refuses_connections_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lgt_assets.object_store.RETRIES", {"max_retries": 1})
    for name, value in (("ACCESS_KEY_ID", "a"), ("SECRET_ACCESS_KEY", "b"), ("REGION", "r"), ("ALLOW_HTTP", "true")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_ports(1)[0]}")
    with pytest.raises(StorageError, match=f"s3://bucket/{(root := secrets.token_hex(4))}/a cannot be looked up"):
        ObjectStore(f"s3://bucket/{root}").holds("a")


@pytest.mark.parametrize("root", ["ftp://host/a", "s3:///a", "folder/a"])
def test_what_is_no_object_store_is_refused(root: str) -> None:
    with pytest.raises(SettingsError, match="no object store"):
        ObjectStore(root).holds("a")


def test_stores_of_google_and_azure_are_opened_with_settings_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked: no such server is on this machine."""
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "a2V5")
    for root, kind in (("az://container/prefix", "AzureStore"), ("gs://bucket/prefix", "GCSStore")):
        client = ObjectStore(root)._client()
        assert (type(client).__name__, str(client.prefix)) == (kind, "prefix")
