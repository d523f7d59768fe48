"""Objects below an ``s3://``, ``gs://`` or ``az://`` address: read, written whole, listed, removed.

obstore (extra ``object-store``) asks: bindings to the library that is also below deltalake and polars, so that one environment
says for tables, pictures and completions how a store is reached and with which credentials.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from lgt_assets.errors import SettingsError, StorageError
from lgt_assets.state import OBJECT_STORES

if TYPE_CHECKING:
    import obstore.store

# obstore gives a whole request 30 seconds, too few for a large picture on a slow line; a line on which nothing comes for 30 is
# dead. Requests that fail are sent again, with growing waits: as often as deltalake does by itself.
_TIMEOUTS = {"connect_timeout": "10s", "read_timeout": "30s", "timeout": "300s"}
RETRIES = {"max_retries": 10, "retry_timeout": timedelta(minutes=3)}
_VARIABLES = {"s3": "AWS", "gs": "GOOGLE", "az": "AZURE"}
# Objects larger than this are written in parts; no half of one is ever seen either way.
_PART_BYTES = 16 << 20


@dataclass(frozen=True)
class ObjectStore:
    """Objects whose keys begin with what follows the bucket in ``root``; threads may share it.

    Every method raises StorageError where the store does not answer after every retry, or refuses.
    """

    root: str

    def address(self, key: str) -> str:
        """Where an object lies."""
        return f"{self.root}/{key}"

    def read(self, key: str) -> bytes:
        """An object's bytes.

        Raises:
            FileNotFoundError: it is not there, or its bucket is not.
        """
        import obstore

        client = self._client()
        try:
            return bytes(obstore.get(client, key).bytes())
        except obstore.exceptions.BaseError as error:
            raise self._failed(f"{self.address(key)} cannot be read", error) from error

    def write(self, key: str, content: bytes) -> None:
        """Put an object there, whole or not at all, in the place of one that was there."""
        import obstore

        client = self._client()
        try:
            obstore.put(client, key, content, use_multipart=len(content) > _PART_BYTES, chunk_size=_PART_BYTES)
        except (obstore.exceptions.BaseError, FileNotFoundError) as error:  # not found: the bucket
            raise self._failed(f"{self.address(key)} cannot be written", error) from error

    def holds(self, key: str) -> bool:
        """Whether an object is there."""
        import obstore

        client = self._client()
        try:
            obstore.head(client, key)
        except FileNotFoundError:
            return False
        except obstore.exceptions.BaseError as error:
            raise self._failed(f"{self.address(key)} cannot be looked up", error) from error
        return True

    def sizes(self, folder: str) -> dict[str, int]:
        """Bytes of all objects in ``folder`` and below, by key, sorted."""
        import obstore

        client = self._client()
        try:
            found = {one["path"]: one["size"] for some in obstore.list(client, folder) for one in some}
        except (obstore.exceptions.BaseError, FileNotFoundError) as error:
            raise self._failed(f"{self.address(folder)} cannot be listed", error) from error
        return dict(sorted(found.items()))

    def remove(self, keys: Iterable[str]) -> None:
        """Remove objects; those that are gone already are no fault."""
        import obstore

        client = self._client()
        for key in keys:
            try:
                obstore.delete(client, key)
            except FileNotFoundError:
                continue
            except obstore.exceptions.BaseError as error:
                raise self._failed(f"{self.address(key)} cannot be removed", error) from error

    def _client(self) -> "obstore.store.ObjectStore":
        scheme, _, place = self.root.partition("://")
        bucket, _, prefix = place.partition("/")
        # Asked for each time: a process may be pointed elsewhere, as the tests are.
        return _opened(scheme, bucket, prefix, os.environ.get("AWS_ENDPOINT_URL"))

    def _failed(self, what: str, error: Exception) -> StorageError:
        first = str(error).partition("\n")[0]  # the rest is for those who mend obstore
        scheme = self.root.partition("://")[0]
        return StorageError(
            f"{what}: {first}; see that the bucket is there, and that {_VARIABLES[scheme]}_… in the environment say how the "
            "store is reached and who asks"
        )


@lru_cache(maxsize=32)
def _opened(scheme: str, bucket: str, prefix: str, _endpoint: str | None) -> "obstore.store.ObjectStore":
    if scheme not in OBJECT_STORES or not bucket:
        raise SettingsError(
            f"{scheme}://{bucket} is no object store: addresses begin with {'://, '.join(OBJECT_STORES)}:// and a bucket"
        )
    try:
        from obstore import store
    except ImportError as error:
        raise SettingsError(
            f"reading and writing {scheme}:// needs obstore ({error}): pip install 'lgt_assets[object-store]'"
        ) from error
    allow_http = os.environ.get(f"{_VARIABLES[scheme]}_ALLOW_HTTP", "").lower() in ("1", "true")
    options = _TIMEOUTS | {"allow_http": allow_http}
    made = {"s3": store.S3Store, "gs": store.GCSStore, "az": store.AzureStore}[scheme]
    try:
        return made(bucket, prefix=prefix or None, client_options=options, retry_config=RETRIES)
    except Exception as error:  # obstore's error of the settings has no type of its own
        raise SettingsError(f"{scheme}://{bucket} cannot be opened: {str(error).partition(chr(10))[0]}") from error
