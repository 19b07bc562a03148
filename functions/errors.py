"""What can go wrong in a run, one type for each decision that the caller must make."""

from collections.abc import Sequence

from schemas.ledger import Reason
from schemas.text import plural

LEDGER = "ledger"  # in the place of a file, in a reason


class DaybookError(Exception):
    """An error of the pipeline's own; everything else is a defect."""


class SourceUnavailable(DaybookError):
    """A source can't be fetched now: raise it, and try again later."""


class SourceRefused(DaybookError):
    """The files are malformed or unbelievable: the run fails with these reasons, nothing is emitted."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(f"{plural(len(reasons), 'reason')}, the first: {reasons[0]}")
        self.reasons = tuple(reasons)

    @property
    def is_of_ledger(self) -> bool:
        """Whether it is the ledger that can't take them, and no file that is at fault."""
        return all(reason.file == LEDGER for reason in self.reasons)


class RequestRefused(DaybookError):
    """The request itself is wrong (its time lies ahead, it has no time): raise it; nothing was done."""


class NotAdmitted(DaybookError):
    """The request must not become a run now: say so, and try nothing again; nothing was done."""


class StreamBusy(DaybookError):
    """The stream refuses records after every attempt: raise it, the run's retry puts what is owed."""


class PipelineHeld(DaybookError):
    """A rebuild is under way: raise it, and try again later."""
