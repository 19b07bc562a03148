"""`daybook verify` against a local cloud that runs: planted faults are found and named."""

import datetime as dt
import gzip
from dataclasses import replace

import pytest
from test_ops_commands import mended, operated  # noqa: F401 fixtures

from schemas.figures import Counts
from storage import ledger_items
from storage.timestream import daily_record, revision_record

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("ops")]


def write(at, table, record, rows):
    """Write these rows into one of the tables, past the seam."""
    at.cloud.client("timestream-write").write_records(
        DatabaseName=at.exports["database"], TableName=at.exports[table], Records=list(map(record, rows))
    )


def rewrite(at, daily, revisions):
    """The tables with these rows and no others."""
    at.cloud.tables.empty()
    write(at, "daily_table", daily_record, daily)
    write(at, "revisions_table", revision_record, revisions)


def changed(row, cases):
    return replace(row, day=replace(row.day, counts=Counts(cases, 0, 0)))


def lowered(row, by):
    return replace(row, version=row.version - by)


def a_row_changed_in_daily(at):
    daily, revisions = at.rows()
    rewrite(at, [*daily[:3], changed(daily[3], 41), *daily[4:]], revisions)


def a_row_gone_from_daily(at):
    daily, revisions = at.rows()
    rewrite(at, daily[:-1], revisions)


def a_version_lowered_in_daily(at):
    daily, revisions = at.rows()
    rewrite(at, [*daily[:-1], lowered(daily[-1], 5)], revisions)


def a_row_never_acknowledged(at):
    row = at.rows()[0][-1]
    later = replace(row, day=replace(row.day, date=dt.date(2020, 3, 9)))
    write(at, "daily_table", daily_record, [later])


def a_day_acknowledged_and_never_written(at):
    item = at.items()["day#2020-03-07"]
    at.enter(item | {"entry": {"S": "day#2020-03-08"}})


def a_day_lost_from_the_ledger(at):
    at.cloud.client("dynamodb").delete_item(
        TableName=at.exports["ledger_table"], Key=ledger_items.key("day#2020-03-04")
    )


def a_version_lowered_in_the_ledger(at):
    day = ledger_items.day_of(ledger_items.plain(at.items()["day#2020-03-02"]))
    at.change("day#2020-03-02", version=day.version - 1)


def a_figure_changed_in_the_ledger(at):
    at.change("day#2020-03-05", cases=51)


def a_stamp_that_is_no_sum(at):
    at.change("head", stamp=1)


def a_last_acknowledged_date_that_is_no_day(at):
    at.change("head", last_acknowledged="2020-03-31")


def an_entry_gone_from_revisions(at):
    daily, revisions = at.rows()
    rewrite(at, daily, revisions[1:])


def an_entry_that_was_never_made(at):
    write(at, "revisions_table", revision_record, [lowered(at.rows()[1][0], 7)])


def an_archive_object_cut_short(at):
    name = first_of(at, "events/")
    at.put(name, at.objects()[name][:-40])


def an_archive_object_with_a_line_less(at):
    name = first_of(at, "events/")
    at.put(name, b"".join(at.objects()[name].splitlines(keepends=True)[:-1]))


def an_archive_object_gone(at):
    at.remove(first_of(at, "events/"))


def a_source_file_that_is_another(at):
    at.put(first_of(at, "sources/nyt/"), gzip.compress(b"date,cases,deaths\n"))


def a_source_file_gone(at):
    at.remove(first_of(at, "sources/jhu/"))


def a_run_completed_with_a_date_unaccounted_for(at):
    entry = min(entry for entry in at.items() if entry.startswith("run#"))
    at.change(entry, inserted=["2020-03-01"])


def first_of(at, prefix):
    return min(name for name in at.objects() if name.startswith(prefix))


@pytest.mark.parametrize(
    ("plant", "place", "what"),
    [
        (a_row_changed_in_daily, "daily", "2020-03-04"),
        (a_row_gone_from_daily, "daily", "2020-03-07"),
        (a_version_lowered_in_daily, "daily", "2020-03-07"),
        (a_row_never_acknowledged, "daily", "2020-03-09"),
        (a_day_acknowledged_and_never_written, "daily", "2020-03-08"),
        (a_day_lost_from_the_ledger, "ledger", "2020-03-04 was entered, and has no entry in the ledger"),
        (a_version_lowered_in_the_ledger, "ledger", "2020-03-02"),
        (a_figure_changed_in_the_ledger, "ledger", "2020-03-05"),
        (a_stamp_that_is_no_sum, "ledger", "the stamp is 1, the sum"),
        (a_last_acknowledged_date_that_is_no_day, "ledger", "2020-03-31, which is no acknowledged day"),
        (an_entry_gone_from_revisions, "revisions", "2020-03-01"),
        (an_entry_that_was_never_made, "revisions", "2020-03-01"),
        (an_archive_object_cut_short, "log", "is damaged: line 5"),
        (an_archive_object_with_a_line_less, "log", "holds other events"),
        (an_archive_object_gone, "log", "2020-03-01"),
        (a_source_file_that_is_another, "archive", "sources/nyt/"),
        (a_source_file_gone, "archive", "sources/jhu/"),
        (a_run_completed_with_a_date_unaccounted_for, "runs", "is completed without"),
    ],
)
def test_a_planted_fault_is_found_and_named(mended, plant, place, what):  # noqa: F811
    plant(mended)
    code, found = mended.data("verify")
    assert (code, found["holds"]) == (7, False)
    assert any(
        one["broken"] and one["place"] == place and what in one["what"] for one in found["findings"]
    ), found


def test_what_was_set_aside_is_reported_and_breaks_nothing(mended):  # noqa: F811
    mended.put("rejected/4711", b"not an event")
    code, found = mended.data("verify")
    assert code == 0
    assert "a record was set aside: rejected/4711" in [one["what"] for one in found["findings"]]


def test_deep_it_compares_with_the_sources_as_they_are_now(mended):  # noqa: F811
    published = dict(mended.daybook.publisher.files)
    code, found = mended.data("verify", "--deep")
    assert (code, found["holds"], found["published_since"]) == (0, True, [])
    mended.daybook.publisher.files["nyt"] = published["nyt"].replace(b"2020-03-05,50", b"2020-03-05,55")
    assert mended.data("verify", "--deep")[0] == 5
    mended.daybook.publisher.files["nyt"] = b"<html>"
    code, _, told = mended.ops("verify", "--deep")
    assert code == 4
    assert "Traceback" not in told
    mended.daybook.publisher.files = published
