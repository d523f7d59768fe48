"""Turns an address in a row into what gets its picture, where hosts and buckets were named that may be asked."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lgt_assets.sources.addresses import FetchPolicy, check_address
from lgt_assets.sources.bucket_pictures import BucketPictures
from lgt_assets.sources.records import RowRejected
from lgt_assets.sources.web_pictures import WebPictures


class Addressed(NamedTuple):
    """A picture behind an address: what messages call it, the address in full, and what gets its bytes."""

    path: Path
    origin: str
    content: Callable[[], bytes]


class RowAddresses:
    """The addresses of one addition; connections are kept until it is closed."""

    def __init__(self, policy: FetchPolicy | None, buckets: tuple[str, ...], most_bytes: int) -> None:
        """No address of the web is fetched where ``policy`` is None, and none of a bucket that is not named."""
        self._policy = policy
        self._web = WebPictures(policy) if policy is not None else None
        self._bucket = BucketPictures(buckets, most_bytes)

    def addressed(self, address: str) -> Addressed:
        """What ``address`` means. Nothing is asked yet.

        Raises:
            RowRejected: it may not be asked.
        """
        if address.lower().startswith("s3://"):
            return Addressed(Path(self._bucket.check(address)), address, partial(self._bucket.fetch, address))
        if self._policy is None or self._web is None:
            raise RowRejected(
                "unsafe_address",
                "image",
                "no host was named that pictures may be fetched from: --option hosts=…, or copy the picture beside the manifest",
            )
        checked = check_address(address, self._policy)
        called = Path(checked.shown.partition("://")[2])
        return Addressed(called, checked.text, partial(self._web.fetch, checked.text))

    def close(self) -> None:
        """Close connections."""
        if self._web is not None:
            self._web.close()
