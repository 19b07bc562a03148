"""What can go wrong, one type for each decision that the caller must make."""

from collections.abc import Sequence

from schemas.run import Reason


class DaybookError(Exception):
    """Whatever of ours goes wrong; everything else is a defect."""


class SourceUnavailable(DaybookError):
    """A source can't be fetched now: raise it, and try again later."""


class SourceRefused(DaybookError):
    """The files are malformed or unbelievable: the run fails with these reasons, nothing is emitted."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(f"{len(reasons)} reason(s), the first: {reasons[0]}")
        self.reasons = tuple(reasons)


class RequestRefused(DaybookError):
    """The request itself is wrong (its time lies ahead, it has no time): raise it; nothing was done."""


class RowsRejected(DaybookError):
    """The store refuses these rows for their content, and always will: set their records aside."""

    def __init__(self, reasons: dict[str, str]) -> None:
        super().__init__(f"rejected: {reasons}")
        self.reasons = reasons  # event id → why


class StoreBusy(DaybookError):
    """The store or the stream can't take it now: give the batch back, it comes again."""


class LedgerMoved(DaybookError):
    """The ledger was written to between our read and our transaction: decide again from fresh reads."""


class NoticesUnsent(DaybookError):
    """The work is done and stands, but people could not be told of it, or of something earlier: raise it,
    and send again."""


class AlreadyTold(DaybookError):
    """A notice of that id exists: whoever made it did the work that goes with it."""
