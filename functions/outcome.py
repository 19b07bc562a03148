"""How a run ends: the run and the head as they will be, and what people are told. Pure."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from functions import messages
from schemas.notice import Notice
from schemas.run import COMPLETED, FAILED, INCOMPLETE, MAX_REASONS_SHOWN, Head, Reason, Run, Settled


@dataclass(frozen=True)
class Outcome:
    """What one transaction writes."""

    run: Run
    head: Head
    notice: Notice


def completed(run: Run, head: Head, now: dt.datetime, stack: str) -> Outcome:
    """Every pending date is accounted for. Where none failed, the sources are settled: until they
    publish something else, or the ledger moves, there is nothing to do."""
    settled = (
        Settled(run.etags, head.stamp, run.code, run.acceptances) if run.etags and not run.failed else None
    )
    report = messages.report(run, head, stack)
    return Outcome(
        run=replace(run, state=COMPLETED, notice=report.id),
        head=replace(
            head,
            open=head.open - {run.name},
            last_success=now,
            settled=settled if len(head.open - {run.name}) == 0 else None,
            failures=(),
        ),
        notice=report,
    )


def refused(run: Run, head: Head, reasons: Sequence[Reason], stack: str) -> Outcome:
    """The files are malformed or unbelievable: nothing was emitted."""
    shown = tuple(map(str, reasons[:MAX_REASONS_SHOWN]))
    return _over(replace(run, state=FAILED, reasons=shown, reason_count=len(reasons)), head, stack)


def broken_off(run: Run, head: Head, problem: str, stack: str) -> Outcome:
    """The fetcher failed, and so did its retries."""
    return _over(replace(run, state=FAILED, reasons=(problem,), reason_count=1), head, stack)


def incomplete(run: Run, head: Head, stack: str) -> Outcome:
    """Some of its records have not been heard of for longer than the mapping retries them."""
    problem = f"no outcome for {messages.days(run.unaccounted)}"
    return _over(replace(run, state=INCOMPLETE, reasons=(problem,), reason_count=1), head, stack)


def _over(run: Run, head: Head, stack: str) -> Outcome:
    alert = messages.alert(run, stack)
    return Outcome(run=replace(run, notice=alert.id), head=ended_badly(run, head), notice=alert)


def ended_badly(run: Run, head: Head) -> Head:
    """The head without this run among the open ones, and with it among those to be made good."""
    failures = head.failures if run.name in head.failures else (*head.failures, run.name)
    return replace(head, open=head.open - {run.name}, failures=failures, settled=None)
