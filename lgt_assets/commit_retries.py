"""Commits that lose a race to another writer are tried again."""

import logging
from collections.abc import Callable

from deltalake.exceptions import CommitFailedError, DeltaError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_chain, wait_random

from lgt_assets.errors import StorageError

# Within one attempt deltalake moves a commit behind others that touched other slices, up to so many times.
COMMIT_RETRIES = 100
# Attempts that read the table anew, for commits that touch what another has just changed.
OUTER_ATTEMPTS = 8
# Unseeded on purpose: equal waits in two processes would make them collide again. No row depends on it.
_WAITS = wait_chain(*(wait_random(0.05 * 2**lost, 0.2 * 2**lost) for lost in range(OUTER_ATTEMPTS - 1)))
_log = logging.getLogger(__name__)


def with_retries(commit: Callable[[], int], what: str) -> int:
    """Run ``commit`` on a fresh table until it wins, waiting a jittered, growing while after each lost race.

    Args:
        commit: opens the table, commits, and returns the version.
        what: for messages; each lost race is logged.

    Raises:
        StorageError: it lost every race, or failed otherwise.
    """

    def tell(state: RetryCallState) -> None:
        _log.info("%s: lost a race to another writer, tries again: %s", what, state.outcome.exception())

    attempts = Retrying(
        retry=retry_if_exception_type(CommitFailedError), stop=stop_after_attempt(OUTER_ATTEMPTS), wait=_WAITS,
        before_sleep=tell, reraise=True,
    )  # fmt: skip
    try:
        return attempts(commit)
    except CommitFailedError as error:
        raise StorageError(f"{what}: the commit lost {OUTER_ATTEMPTS} races to other writers: {error}") from error
    except (DeltaError, OSError) as error:
        raise StorageError(f"{what}: {error}") from error
