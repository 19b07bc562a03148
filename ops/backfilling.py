"""Enter the sources' public history by the fetcher, a run a day, each after the end of the one before it.

The marker in the head stands from the first request to the report; what breaks it off leaves it there.
"""

import datetime as dt
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import count

from ops.errors import AWS, CONFIGURATION, PENDING, SOURCES, Problem
from ops.held import GOES_ON, RESTING
from ops.stack import Stack
from ops.terminal import progress, say
from schemas.ledger import BACKFILL, COMPLETED, FAILED, OPEN, Head, Held, Run
from schemas.moment import written
from schemas.notice import FOLDED
from schemas.text import plural

SECONDS = 0.5  # between two looks
UNANSWERED = 900  # seconds; Lambda's attempts at a request, and the reporter's message, come within minutes
UNSENT = 60  # seconds that the report is waited for; the next run sends one that is still unsent
WAITING = 60  # seconds after which a run that is still open is told of


def begin(stack: Stack, dates: Sequence[dt.date]) -> bool:
    """Set the marker, or take up the one that stands; False where nothing is left to do. Raises Problem where
    the history can't be entered any more."""
    head = stack.ledger.head()
    if head.held is None and len(made(stack, dates[-1:])) == 1:
        return False
    if "history_base" not in stack.facts:
        raise Problem(
            "The deployed code knows no backfill.", "Nothing was changed.", "make deploy", CONFIGURATION
        )
    from storage.errors import HeldByAnother
    from storage.marker import hold

    now = stack.ledger.answered or stack.now()
    reason = f"the sources' public history has been entered since {written(now)}"
    try:
        hold(stack.ledger, Held(reason, now, BACKFILL), _check)
    except HeldByAnother as another:
        problem = f"The history can't be entered now: {another}."
        raise Problem(problem, "Nothing was changed.", "Try again when it has ended.", PENDING) from another
    return True


def _check(head: Head) -> None:
    """Raises Problem where a run was made: what is entered from now on is newer than its entries."""
    if head.last_run:
        raise Problem(
            f"This stack has made a run, of {head.last_run:%Y-%m-%d %H:%M} UTC: what is entered now is dated "
            "after it, and the public history lies before it.",
            "Nothing was changed.",
            "A new stack can begin with the history: make deploy STACK=another HISTORY=1. "
            "On this machine: python -m local up --sources live --history --fresh",
            CONFIGURATION,
        )


def made(stack: Stack, dates: Sequence[dt.date]) -> list[Run]:
    """The runs of these dates that are stored, oldest first."""
    from functions import history

    return stack.ledger.runs_named(map(history.run_name, dates))


def go_through(stack: Stack, dates: Sequence[dt.date]) -> None:
    """Make the run of each date that has not ended yet, one after another; then report, and remove the
    marker. What breaks it off leaves the marker in its place."""
    from storage.marker import release

    done = {run.time.date() for run in made(stack, dates) if has_ended(run)}
    left = [date for date in dates if date not in done]
    try:
        if left:
            with progress("Entering the public history", len(left)) as move:
                for date in left:
                    enter(stack, date, partial(move, 0))
                    move(1, f"The public history of {date}")
        report(stack)
        release(stack.ledger, stack.ledger.answered or stack.now())
    except KeyboardInterrupt:
        say(f"{RESTING} {GOES_ON[BACKFILL]}.")
        raise
    except Problem:
        raise
    except Exception as error:
        problem = f"The backfill was not ended: {type(error).__name__}: {error}"
        raise Problem(problem, RESTING, f"{GOES_ON[BACKFILL]}.", AWS) from error


def has_ended(run: Run) -> bool:
    """Whether nothing more comes of a run: it completed, or its files were refused."""
    return run.state == COMPLETED or (run.state == FAILED and not run.pending)


def enter(stack: Stack, date: dt.date, tell: Callable[[str], None]) -> Run:
    """Ask for the run of a date, and wait for its end. Raises Problem where it failed on the way."""
    from functions import history

    known = {run.name for run in stack.ledger.runs()}
    before = next((run.state for run in made(stack, [date])), OPEN)
    stack.ask(history.request(date))
    for seconds in _looks():
        run = next(iter(made(stack, [date])), None)
        if run and has_ended(run):
            return run
        if run and run.state not in (OPEN, before):
            raise _failed(date, run, AWS)
        if run is None:
            attempts = (each for each in stack.ledger.runs() if each.name not in known)
            if attempt := next(
                (each for each in attempts if each.trigger == BACKFILL and each.state == FAILED), None
            ):
                raise _failed(date, attempt, SOURCES)
            if not stack.ledger.head().is_backfilling:
                raise Problem(
                    "Another command has ended the backfill.", "What was entered stands.", code=PENDING
                )
        if seconds > UNANSWERED and not (run and run.state == OPEN):
            break
        if run and seconds > WAITING:
            entered = f"{len(run.accounted):,} of {plural(len(run.pending), 'day')} entered"
            tell(f"{date}, for {seconds / 60:.0f} min: {entered}; what the store throttles is tried again")
    raise Problem(
        f"Nothing came of {date} within {UNANSWERED} s: daybook logs", RESTING, f"{GOES_ON[BACKFILL]}.", AWS
    )


def report(stack: Stack) -> None:
    """Make the one report of the runs that there are, once, and have the fetcher send it."""
    from functions import history, notice_text
    from storage.change import Change
    from storage.errors import AlreadyTold

    ledger = stack.ledger
    head, runs = ledger.head(), made(stack, history.dates())
    if not runs:
        return
    notice = notice_text.backfilled(runs, head, stack.facts["stack"])
    with suppress(AlreadyTold):
        ledger.commit(Change(ledger.answered or stack.now(), (head, head), notices=(notice,)))
    stack.ask(history.request(runs[-1].time.date()))
    for seconds in _looks():
        if FOLDED not in ledger.head().unsent:
            return
        if seconds > UNSENT:
            say("The report is not sent yet: the next run sends it.")
            return


def _looks() -> Iterator[float]:
    """The seconds that have passed, at each look."""
    pause = threading.Event()
    for number in count():
        yield number * SECONDS
        pause.wait(SECONDS)


def _failed(date: dt.date, run: Run, code: int) -> Problem:
    reason = run.reasons[0].removeprefix(f"{date}: ") if run.reasons else f"its run is {run.state}"
    return Problem(
        f"The public history of {date} was not entered: {reason}",
        RESTING,
        f"When that is mended: {GOES_ON[BACKFILL]}. To end it where it stands: daybook backfill --end",
        code,
    )
