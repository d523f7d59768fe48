"""The errors this project raises on purpose; everything else is a bug.

Third-party exceptions are turned into one of these at the boundary where they arise, with a message that says what to do.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pydantic


class LgtError(Exception):
    """Base of every error that a user can mend; the command line prints its message without a traceback."""


class SettingsError(LgtError):
    """A profile, an option or an environment variable is missing or wrong."""


class SourceError(LgtError):
    """A source as a whole cannot be read (a single bad row is quarantined instead)."""


class StorageError(LgtError):
    """A table is missing, or a commit failed after every retry."""


class UpstreamError(LgtError):
    """A shard that an asset reads is missing or failed its blocking checks."""


class ValidationError(LgtError):
    """Rows break their table's schema; the message names the table, the column and the failing rows."""


class EngineError(LgtError):
    """A model could not be loaded, or requests failed after every retry."""


class RequestsFailedError(EngineError):
    """More requests of one shard failed than the profile allows; the model itself answers, so other shards may go on."""


class RunEndedError(LgtError):
    """The run that writes was ended elsewhere, or goes on in another process."""


class PromptError(LgtError):
    """A template is missing, uses an undefined variable, or tries to leave its sandbox."""


class NotFoundError(LgtError):
    """An id, a shard or a table that was asked for does not exist."""


class TakenDownError(LgtError):
    """What is asked for was taken down."""


class ReleaseError(LgtError):
    """A release cannot be written or written again, or an export is not what its manifest says."""


def wrong_fields(error: "pydantic.ValidationError", whole: str = "(whole file)") -> str:
    """Each field that pydantic refused, and why, on one line; of what was given, only what a validator's own message quotes.

    Args:
        error: what pydantic raised.
        whole: what is said to be wrong where it is no single field.
    """
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or whole}: {one['msg']}" for one in error.errors())
