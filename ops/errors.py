"""What goes wrong for an operator, and the exit code that a script can go by."""

import errno

DONE = 0
UNEXPECTED = 1
USAGE = 2
CONFIGURATION = 3
SOURCES = 4  # unavailable or malformed
PENDING = 5
AWS = 6
BROKEN = 7  # an invariant doesn't hold
INTERRUPTED = 130


# Errors of the file system that a user can mend, by number: where the name is wrong, and where the place is.
NAMED_WRONG = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP}
NO_PLACE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Problem(Exception):
    """What failed; beside it what is safe, and what to do next, each a sentence or empty."""

    def __init__(self, failed: str, safe: str = "", remedy: str = "", code: int = UNEXPECTED) -> None:
        super().__init__(failed)
        self.failed = failed
        self.safe = safe
        self.remedy = remedy
        self.code = code

    def __str__(self) -> str:
        return "\n".join(filter(None, (self.failed, self.safe, self.remedy)))


STANDS = "What was acknowledged before stands."
BRING_BACK = "Bring the missing objects back: the bucket keeps earlier versions. See: daybook verify"
AGAIN = "Try again: every command can be started again."
SOURCE = "Nothing was changed.", "Look at the sources, then try again.", SOURCES
ACCESS = (
    "Nothing was asked of AWS.",
    "Run `aws configure`, or set AWS_PROFILE and AWS_REGION.",
    CONFIGURATION,
)
PASSING = STANDS, AGAIN, AWS
# By the error's name: what is safe, what to do next, the exit code.
KNOWN: dict[str, tuple[str, str, int]] = {
    "SourceUnavailable": SOURCE,
    "SourceRefused": SOURCE,
    "NoCredentialsError": ACCESS,
    "NoRegionError": ACCESS,
    "ProfileNotFound": ACCESS,
    "PartialCredentialsError": ACCESS,
    "Unreachable": PASSING,
    "StreamBusy": PASSING,
    "LedgerMoved": PASSING,
    "LogIncomplete": ("This attempt emptied nothing.", BRING_BACK, BROKEN),
    "Damaged": (STANDS, BRING_BACK, BROKEN),
    "NoSuchRecord": ("Nothing was replayed.", "The archive has what the stream has lost.", USAGE),
    "NotTaken": (
        "What was replayed before it stands.",
        "See `daybook logs`; then the same again, which changes nothing of what stands.",
        AWS,
    ),
}


def of_files(error: OSError) -> Problem | None:
    """An error of the file system in a line, with what to do; None for any other."""
    if error.errno not in NAMED_WRONG | NO_PLACE or isinstance(error, ConnectionError):
        return None
    what = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
    if error.errno in NAMED_WRONG:
        return Problem(f"{what}. Name a folder that is there.", code=USAGE)
    return Problem(f"{what}. Free some space, or name a folder that can be written.", code=CONFIGURATION)


def explained(error: Exception) -> Problem:
    """An error of the SDK, a source or the store, as a problem. Errors are known by their names: nothing
    heavy is loaded to look at one that can't be theirs."""
    name = type(error).__name__
    unknown = "", "Add --debug to see where; please report it.", UNEXPECTED
    if isinstance(error, OSError) and (problem := of_files(error)):
        return problem
    is_aws = type(error).__module__.startswith("botocore")
    return Problem(f"{name}: {error}", *KNOWN.get(name, PASSING if is_aws else unknown))
