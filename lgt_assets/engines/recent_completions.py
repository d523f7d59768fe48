"""Completions in memory from their arrival until somebody reads them, the latest only: most are read soon, from no disk."""

from lgt_assets.engines.base import Completion

MOST = 1024


class RecentCompletions:
    """At most :data:`MOST` completions by key. Not for several threads at once."""

    def __init__(self) -> None:
        self._completions: dict[str, Completion] = {}

    def put(self, completion: Completion) -> None:
        """Hold a completion; the oldest that nobody asked for goes."""
        self._completions[completion.request_key] = completion
        if len(self._completions) > MOST:
            del self._completions[next(iter(self._completions))]

    def __contains__(self, key: str) -> bool:
        return key in self._completions

    def take(self, key: str) -> Completion:
        """The completion of a key that is held, and is no longer.

        Raises:
            KeyError: it is not held.
        """
        return self._completions.pop(key)

    def forget(self, key: str) -> None:
        """Another record counts for ``key``."""
        self._completions.pop(key, None)
