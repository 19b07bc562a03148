"""What asks for a run: its time, its trigger, its id."""

import datetime as dt

import pytest
from builders import NOON

from functions import history
from functions.errors import RequestRefused
from functions.request import Request, read
from schemas.moment import written

ARRIVED = dt.datetime(2020, 3, 10, 12, 0, 7, tzinfo=dt.UTC)
MILLISECOND = dt.timedelta(milliseconds=1)


def test_a_run_s_time_is_the_scheduled_one_and_its_arrival_is_when_the_ledger_answered():
    event = {"scheduled_at": "2020-03-10T12:00:00Z", "trigger": "schedule"}
    assert read(event, "request-1", ARRIVED) == Request("request-1", NOON, ARRIVED, "schedule")


def test_a_request_without_a_time_gets_the_moment_at_which_it_arrived():
    assert read({}, "request-1", ARRIVED) == Request("request-1", ARRIVED, ARRIVED, "manual")
    assert read({"scheduled_at": None}, "request-1", ARRIVED).time == ARRIVED


@pytest.mark.parametrize(
    "text",
    [
        "2020-03-10T12:00:00Z",
        "2020-03-10T12:00:00.000999Z",  # cut to milliseconds
        "2020-03-10T07:00:00-05:00",
        "2020-03-10T12:00:00+00:00",
    ],
)
def test_a_scheduled_moment_may_be_in_any_zone(text):
    assert read({"scheduled_at": text}, "request-1", ARRIVED).time == NOON


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2020-03-10",
        "2020-03-10T12:00:00",  # which zone?
        "2020-02-30T12:00:00Z",
        "<aws.scheduler.scheduled-time>",  # nobody replaced it
        "0001-01-01T00:00:00+14:00",  # no moment in UTC,
        "9999-12-31T23:59:59-14:00",  # neither is this
        1_583_841_600,
        12.5,
        True,
        [],
        {},
    ],
)
def test_a_time_that_is_no_moment_is_refused(text):
    with pytest.raises(RequestRefused, match="and should be an ISO 8601 moment with its zone"):
        read({"scheduled_at": text}, "request-1", ARRIVED)


def test_a_request_may_be_scheduled_five_minutes_ahead_and_not_a_millisecond_more():
    ahead = ARRIVED + dt.timedelta(minutes=5)
    assert read({"scheduled_at": ahead.isoformat()}, "request-1", ARRIVED).time == ahead
    with pytest.raises(RequestRefused, match=r"more than 0:05:00 after 2020-03-10 12:00:07\+00:00"):
        read({"scheduled_at": (ahead + MILLISECOND).isoformat()}, "request-1", ARRIVED)


def test_a_request_delivered_late_keeps_its_scheduled_time():
    assert read({"scheduled_at": "2020-03-09T12:00:00Z"}, "request-1", ARRIVED).time == NOON - dt.timedelta(1)


def test_where_the_ledger_s_answer_has_no_date_a_request_arrived_when_it_was_scheduled():
    assert read({"scheduled_at": "2020-03-10T12:00:00Z"}, "request-1", None) == Request(
        "request-1", NOON, NOON, "manual"
    )


def test_a_request_is_refused_where_nothing_says_what_time_it_is():
    with pytest.raises(RequestRefused, match="neither the request nor the ledger's answer has a time"):
        read({}, "request-1", None)


@pytest.mark.parametrize("trigger", ["", "two words", "x" * 41, "line\n", "é", 7, None, ["schedule"]])
def test_a_trigger_that_is_no_word_is_refused(trigger):
    with pytest.raises(RequestRefused, match="should be a word"):
        read({"trigger": trigger}, "request-1", ARRIVED)


def test_a_backfill_is_asked_for_by_a_date_and_its_time_is_noon_of_it():
    found = read({"version": 1, "trigger": "backfill", "date": "2020-10-19"}, "any id of Lambda's", ARRIVED)
    assert (found.id, found.time, found.arrived) == (
        "backfill/2020-10-19",
        dt.datetime(2020, 10, 19, 12, tzinfo=dt.UTC),
        ARRIVED,
    )
    name = "2020-10-19T12:00:00.000Z#backfill/2020-10-19"
    assert history.run_name(found.time.date()) == f"{written(found.time)}#{found.id}" == name


@pytest.mark.parametrize(
    "event",
    [
        {"trigger": "backfill"},
        {"version": 1, "trigger": "backfill"},
        {"version": 2, "trigger": "backfill", "date": "2020-10-19"},
        {"version": 1, "trigger": "backfill", "date": "2020-10-19", "url": "https://example.org"},
        {"version": 1, "trigger": "backfill", "date": "2020-10-19", "scheduled_at": "2020-10-19T12:00:00Z"},
        {"version": 1, "trigger": "backfill", "date": "20201019"},
        {"version": 1, "trigger": "backfill", "date": "2020-W43-1"},
        {"version": 1, "trigger": "backfill", "date": "2020-02-30"},
        {"version": 1, "trigger": "backfill", "date": "٢٠٢٠-10-19"},
        {"version": 1, "trigger": "backfill", "date": 20201019},
        {"version": 1, "trigger": "backfill", "date": None},
        {"version": 1, "trigger": "backfill", "date": "../../us.csv"},
    ],
)
def test_a_backfill_in_any_other_form_or_with_an_address_is_refused(event):
    with pytest.raises(RequestRefused, match="a backfill is asked for by"):
        read(event, "request-1", ARRIVED)
