from dataclasses import replace

from builders import NOON, counts, date, day, entries, entry, run

from functions.diff import diff, events, unacknowledged
from schemas.moment import version


def test_a_day_never_acknowledged_is_pending_and_one_acknowledged_with_these_values_is_not():
    assert diff([day(1, 10), day(2, 20)], entries(entry(1, 10))) == [day(2, 20)]


def test_a_restated_day_is_pending_and_pending_days_come_oldest_first():
    days = [day(3, 30), day(1, 11), day(2, 20)]
    assert diff(days, entries(entry(1, 10), entry(2, 20))) == [day(1, 11), day(3, 30)]


def test_not_reported_is_another_value_than_zero():
    assert diff([day(1, 10, recovered=None)], entries(entry(1, 10))) == [day(1, 10, recovered=None)]


def test_a_day_without_a_digest_is_pending_whatever_the_sources_say():
    assert diff([day(1, 10)], entries(replace(entry(1, 10), digest=None))) == [day(1, 10)]


def test_nothing_is_pending_when_all_is_acknowledged():
    assert diff([day(1, 10)], entries(entry(1, 10))) == []


def test_each_new_date_knows_the_published_date_before_it():
    days = [day(1, 1), day(3, 3), day(4, 4)]
    found = unacknowledged(days, days, entries(entry(3, 2)))
    assert found == {date(1): None, date(4): date(3)}


def test_a_first_entry_replaces_nothing_and_its_version_is_the_run_s_time():
    (found,) = events([day(1, 10)], {}, run(files={}), "test")
    assert (found.version, found.revision, found.previous) == (version(NOON), 1, None)


def test_a_restated_day_is_entered_again_with_what_it_replaces():
    held = entry(1, 10, version=5, revision=3)
    (found,) = events([day(1, 11)], entries(held), run(files={}), "test")
    assert (found.version, found.revision, found.previous) == (version(NOON), 4, counts(10))


def test_a_version_is_one_more_than_the_day_s_last_where_that_is_greater():
    held = entry(1, 10, version=version(NOON) + 7)
    (found,) = events([day(1, 11)], entries(held), run(files={}), "test")
    assert found.version == version(NOON) + 8
