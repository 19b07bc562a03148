from builders import FILES, NOON, counts, date, day, entries, entry, run

from functions.diff import diff, events, reached, unacknowledged
from schemas.moment import version


def test_a_day_never_acknowledged_is_pending_and_one_acknowledged_with_these_values_is_not():
    assert diff([day(1, 10), day(2, 20)], entries(entry(1, 10))) == [day(2, 20)]


def test_a_restated_day_is_pending_and_pending_days_come_oldest_first():
    days = [day(3, 30), day(1, 11), day(2, 20)]
    assert diff(days, entries(entry(1, 10), entry(2, 20))) == [day(1, 11), day(3, 30)]


def test_not_reported_is_another_value_than_zero():
    assert diff([day(1, 10, recovered=None)], entries(entry(1, 10))) == [day(1, 10, recovered=None)]


def test_a_day_that_an_older_run_owes_is_pending_though_its_values_are_acknowledged():
    assert diff([day(1, 10), day(2, 20)], entries(entry(1, 10), entry(2, 20)), {date(1)}) == [day(1, 10)]


def test_a_date_that_an_older_run_owes_and_the_files_no_longer_have_is_not_sent():
    assert diff([day(1, 10)], entries(entry(1, 10)), {date(2)}) == []


def test_each_new_date_knows_the_published_date_before_it():
    days = [day(1, 1), day(3, 3), day(4, 4)]
    found = unacknowledged(days, days, entries(entry(3, 2)))
    assert found == {date(1): None, date(4): date(3)}


def test_every_published_date_up_to_the_first_that_was_never_acknowledged_is_reached():
    days = [day(1, 1), day(3, 3), day(4, 4)]
    assert reached(days, entries(entry(1, 1), entry(3, 99))) == date(3)  # a restatement is no gap
    assert reached(days, entries(entry(3, 3), entry(4, 4))) is None
    assert reached([], {}) is None


def test_a_first_entry_replaces_nothing_and_its_version_is_the_run_s_time():
    (found,) = events([day(1, 10)], {}, run(files=FILES), "test")
    assert (found.version, found.previous, found.run) == (version(NOON), None, run().name)
    assert (found.stack, found.files) == ("test", FILES)


def test_a_restated_day_is_entered_again_with_what_it_replaces():
    (found,) = events([day(1, 11)], entries(entry(1, 10, version=5)), run(files=FILES), "test")
    assert (found.version, found.previous) == (version(NOON), counts(10))
