"""Commits that lose a race to another writer are tried again."""

import logging
import random
import time
from collections.abc import Callable

from deltalake.exceptions import CommitFailedError, DeltaError

from lgt_assets.errors import StorageError

# Within one attempt deltalake moves a commit behind others that touched other slices, up to so many times.
COMMIT_RETRIES = 100
# Attempts that read the table anew, for commits that touch what another has just changed.
OUTER_ATTEMPTS = 8
_log = logging.getLogger(__name__)


def with_retries(commit: Callable[[], int], what: str) -> int:
    """Run ``commit`` on a fresh table until it wins, waiting a jittered, growing while after each lost race.

    Args:
        commit: opens the table, commits, and returns the version.
        what: for messages; each lost race is logged.

    Raises:
        StorageError: it lost every race, or failed otherwise.
    """
    for attempt in range(OUTER_ATTEMPTS):
        try:
            return commit()
        except CommitFailedError as error:
            if attempt == OUTER_ATTEMPTS - 1:
                raise StorageError(
                    f"{what}: the commit lost {OUTER_ATTEMPTS} races to other writers: {error}"
                ) from error
            _log.info("%s: lost a race to another writer, tries again: %s", what, error)
            # Unseeded on purpose: equal waits in two processes would make them collide again. No row depends on it.
            time.sleep(random.uniform(0.05, 0.2) * 2**attempt)
        except (DeltaError, OSError) as error:
            raise StorageError(f"{what}: {error}") from error
    raise AssertionError("unreachable")
