"""The first line of `daybook status`: whether all is well, and what to do next."""

import pytest
from builders import run

from ops.commands.status import verdict
from ops.errors import DONE, PENDING, SOURCES
from schemas.ledger import COMPLETED, FAILED, OPEN

WELL = {
    "held": None,
    "backfilling": False,
    "ended": None,
    "last_run": run(state=COMPLETED),
    "pending": [],
    "unsent": [],
    "complete": True,
    "warnings": [],
}
REFUSED = run(state=FAILED, reasons=('nyt, row 2, date: "2020-15-01" is not a date',))


@pytest.mark.parametrize(
    ("change", "text", "following", "code"),
    [
        ({}, "All is well.", "", DONE),
        ({"warnings": ["cases fall"]}, "All is well; 1 warning below.", "", DONE),
        (
            {"warnings": ["it has ended"], "ended": "Johns Hopkins stopped publishing."},
            "Ended: Johns Hopkins stopped publishing; 1 warning below.",
            "",
            DONE,
        ),
        ({"last_run": None}, "No run has been made yet.", "run --wait", DONE),
        ({"last_run": REFUSED}, "The last run failed: nyt, row 2", '"The run … failed"', SOURCES),
        ({"last_run": REFUSED, "pending": ["2020-03-01"]}, "The last run failed", "run --wait", PENDING),
        ({"pending": ["2020-03-01"]}, "1 day is pending.", "run --wait", PENDING),
        (
            {"pending": ["2020-03-01", "2020-03-02"], "last_run": run(state=OPEN)},
            "A run is under way: 2 days are pending.",
            "status --watch",
            PENDING,
        ),
        ({"held": "a rebuild is under way"}, "Nothing is entered: a rebuild", "replay --rebuild", PENDING),
        (
            {"held": "the sources' public history has been entered since", "backfilling": True},
            "No run is made: the sources' public history",
            "daybook backfill",
            PENDING,
        ),
        ({"unsent": ["x"]}, "All is entered, but not all messages are sent.", "doctor", DONE),
        ({"complete": False}, "All is entered; the tables can't be read whole yet.", "verify", DONE),
    ],
)
def test_the_gravest_thing_is_said_with_the_next_step_and_the_exit_code(change, text, following, code):
    status = verdict(WELL | change)
    assert status.text.startswith(text)
    assert following in status.next
    assert bool(status.next) == bool(following)
    assert status.code == code
