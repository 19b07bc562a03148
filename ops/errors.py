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


def explained(error: Exception) -> Problem:
    """An error of the SDK, a source or the store, as a problem. Modules are told by their names: nothing
    heavy is loaded to look at an error that can't be theirs."""
    module, name = type(error).__module__, type(error).__name__
    text = f"{name}: {error}"
    if name in ("SourceUnavailable", "SourceRefused"):
        return Problem(text, "Nothing was changed.", "Look at the sources, then try again.", SOURCES)
    if name in ("NoCredentialsError", "NoRegionError", "ProfileNotFound", "PartialCredentialsError"):
        remedy = "Run `aws configure`, or set AWS_PROFILE and AWS_REGION."
        return Problem(text, "Nothing was asked of AWS.", remedy, CONFIGURATION)
    if module.startswith("botocore") or name in ("Unreachable", "StoreBusy", "LedgerMoved"):
        remedy = "Try again: every command can be started again."
        return Problem(text, "What was acknowledged before stands.", remedy, AWS)
    return Problem(text, "", "Add --debug to see where; please report it.", UNEXPECTED)
