"""The marker of a rebuild or a backfill, as commands tell of it."""

from collections.abc import Mapping

from schemas.ledger import BACKFILL, REBUILD, Work

GOES_ON: Mapping[Work, str] = {
    REBUILD: "daybook replay --rebuild goes on with it, and ends it",
    BACKFILL: "daybook backfill goes on with it, and ends it",
}
RESTING = "What was entered stands. Until the backfill has ended, no other run is made."
