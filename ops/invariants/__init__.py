"""What must hold between log, ledger, tables, files and notices, at any time, on a live system too.

Every invariant is a pure function over one frozen value, ``Kept``. What only a whole scenario can show is in
ops/invariants/ending.py.
"""

import datetime as dt
from collections.abc import Callable, Iterator

from ops.invariants import days, files, head, log, notices, runs, tables
from storage.kept import Finding, Kept

Check = Callable[[Kept], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    log.no_entry_is_lost,
    log.an_id_is_one_event,
    log.a_run_enters_a_date_once,
    log.consecutive_entries_differ,
    log.what_an_event_replaces_was_entered,
    log.records_were_set_aside,
    files.every_file_is_kept,
    files.values_stood_in_their_file,
    days.no_day_is_lost,
    days.a_day_is_its_event,
    days.a_day_is_its_newest_entry,
    days.entries_are_counted,
    head.stamp_and_entries_are_sums,
    head.the_last_acknowledged_date_is_a_day,
    head.the_last_acknowledged_date_passes_no_unwritten_day,
    head.it_knows_who_owes,
    head.nothing_is_settled_while_a_run_owes,
    head.it_has_the_newest_run,
    head.failures_are_remembered,
    runs.every_event_is_of_a_run,
    runs.a_date_is_in_one_set,
    runs.a_completed_run_accounts_for_all,
    runs.every_entry_is_counted,
    runs.a_date_is_inserted_once,
    runs.times_differ,
    tables.revisions_are_the_log,
    tables.no_row_is_there_twice,
    notices.every_end_is_told,
    notices.a_backfill_is_one_report,
    notices.reports_say_what_was_counted,
    notices.alerts_are_true,
    notices.the_head_knows_what_is_unsent,
)


def findings(kept: Kept, trailing_since: dt.datetime | None = None) -> list[Finding]:
    """Everything that is the matter, notes among it. Timestream may not show yet what was written after
    ``trailing_since``: such a row is a note."""
    found = [*kept.findings]
    for check in CHECKS:
        found += check(kept)
    for table in (tables.revisions_hold_every_entry, tables.daily_is_what_is_acknowledged):
        found += table(kept, trailing_since)
    return found


def broken(kept: Kept, trailing_since: dt.datetime | None = None) -> list[Finding]:
    """The invariants that don't hold."""
    return [finding for finding in findings(kept, trailing_since) if finding.broken]


__all__ = ["CHECKS", "Finding", "Kept", "broken", "findings"]
