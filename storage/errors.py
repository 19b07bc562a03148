"""What can go wrong with what is kept, one type for each decision that the caller must make."""

from collections.abc import Sequence
from typing import Literal

Place = Literal["store", "ledger", "archive", "stream"]


class StorageError(Exception):
    """What is kept can't be read or changed as asked."""


class Unreachable(StorageError):
    """A place gave no answer, or refused to: nothing is known of what it holds. Try again later."""

    def __init__(self, place: Place, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place: Place = place
        self.problem = problem


class LedgerMoved(StorageError):
    """The ledger was written to between the read and the transaction: decide again from fresh reads."""


class AlreadyTold(StorageError):
    """A notice of that id exists: the work that goes with it is done."""


class HeldByAnother(StorageError):
    """A backfill holds the pipeline where a rebuild is wanted, or a rebuild where a backfill is."""


class Damaged(StorageError):
    """An object of the archive can't be decoded, or is not what its name says."""


class NotTaken(StorageError):
    """The consumer failed over a batch, or gave it back every time: what was fed before it stands."""


class NoSuchRecord(StorageError):
    """A sequence number is that of no record which the stream retains."""


class LogIncomplete(StorageError):
    """The log lacks what ledger or tables have; ``missing`` says what, a line each. Nothing was emptied."""

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(f"the log lacks {len(missing)}, the first: {missing[0]}")
        self.missing = tuple(missing)
