"""What goes wrong for an operator, and the exit code that a script can go by."""

DONE = 0
UNEXPECTED = 1
USAGE = 2
CONFIGURATION = 3
SOURCES = 4  # unavailable or malformed
PENDING = 5
AWS = 6
BROKEN = 7  # an invariant doesn't hold
INTERRUPTED = 130


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
BRING_BACK = "Bring the missing objects back: the bucket keeps earlier versions. See: python -m ops verify"
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
        "See `python -m ops logs`; then the same again, which changes nothing of what stands.",
        AWS,
    ),
}


def explained(error: Exception) -> Problem:
    """An error of the SDK, a source or the store, as a problem. Errors are known by their names: nothing
    heavy is loaded to look at one that can't be theirs."""
    name = type(error).__name__
    unknown = "", "Add --debug to see where; please report it.", UNEXPECTED
    is_aws = type(error).__module__.startswith("botocore")
    return Problem(f"{name}: {error}", *KNOWN.get(name, PASSING if is_aws else unknown))
