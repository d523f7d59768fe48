"""Gets pictures from S3 buckets that were named when the source was added; credentials are those of the environment.

fsspec with s3fs (extra ``s3``) asks; nothing of a row decides on whose behalf, or which endpoint.
"""

from collections.abc import Collection

from lgt_assets.errors import SourceError
from lgt_assets.sources.records import RowRejected, storable


class BucketPictures:
    """A reader for one addition. Threads may share it."""

    def __init__(self, buckets: Collection[str], most_bytes: int) -> None:
        self._buckets, self._most_bytes = frozenset(buckets), most_bytes

    def check(self, address: str) -> str:
        """``bucket/key`` of an ``s3://`` address. Raises RowRejected: its bucket was not named, or it has no key."""
        bucket, _, key = address.partition("://")[2].partition("/")
        if bucket not in self._buckets:
            named = ", ".join(sorted(self._buckets)) or "none"
            raise RowRejected(
                "unsafe_address",
                "image",
                f"bucket {storable(bucket)[:80]!r} is not among those that may be read ({named}); see --option buckets",
            )
        if not key or "\0" in key or storable(key) != key:
            raise RowRejected("unsafe_address", "image", f"{storable(address)[:200]!r} names nothing in the bucket")
        return f"{bucket}/{key}"

    def fetch(self, address: str) -> bytes:
        """The bytes at an ``s3://`` address.

        Raises:
            RowRejected: as :meth:`check`; ``missing_file``; ``image_too_large``; ``fetch_failed``.
            SourceError: s3fs is not installed, or has no credentials.
        """
        place = self.check(address)
        try:
            import fsspec

            files = fsspec.filesystem("s3")
            size = files.info(place)["size"]
            if size > self._most_bytes:
                raise RowRejected(
                    "image_too_large", "image", f"s3://{place} has {size} bytes; the limit is {self._most_bytes}"
                )
            # It may have grown since: no more than the size that was judged.
            return files.cat_file(place, start=0, end=size)
        except RowRejected:
            raise
        except ImportError as error:
            raise SourceError(f"reading s3:// needs s3fs ({error}): pip install 'lgt_assets[s3]'") from error
        except FileNotFoundError:
            raise RowRejected("missing_file", "image", f"there is no s3://{place}") from None
        except OSError as error:
            raise RowRejected(
                "fetch_failed", "image", f"s3://{place} cannot be read ({error}); add again later"
            ) from error
        except Exception as error:  # botocore's errors have no common base with s3fs's; none is about one picture
            raise SourceError(f"s3://{place} cannot be asked for ({type(error).__name__}: {error})") from error
