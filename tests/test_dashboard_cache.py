"""What was last read, and when it is worth reading again."""

import datetime as dt
import threading
from typing import Any
from unittest.mock import patch

from dashboards import NOW, RESTATED, SETTINGS, FakeReader, counts, day, empty, row
from test_dashboard_routes import drawn

from dashboard.app import create_app
from dashboard.cache import Desk, Snapshot
from dashboard.pages import record
from dashboard.view import View
from storage.errors import Unreachable
from storage.tables import Row, stamp

CONTENT = record.content


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> dt.datetime:
        return self.now

    def minutes(self, minutes: float) -> None:
        self.now = NOW + dt.timedelta(minutes=minutes)


def desk(reader: FakeReader, clock: Clock) -> Desk:
    return Desk(reader, reader, SETTINGS, clock, patience=(5, 5))


def last(found: Snapshot) -> dt.datetime:
    """When the last day was entered."""
    assert found.rows
    return found.rows[-1].recorded_at


def restated(reader: FakeReader) -> None:
    """A further entry of the last day, acknowledged."""
    reader.kept.append(row(119, counts(118), NOW))
    reader.entered()


def test_an_unchanged_table_costs_one_small_read_however_many_people_look() -> None:
    reader, clock = FakeReader(), Clock()
    at = desk(reader, clock)
    at.look()
    clock.minutes(60)
    reader.asked.clear()
    people = [threading.Thread(target=at.look) for _ in range(50)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert reader.asked == ["head"]


def test_a_changed_stamp_costs_one_query() -> None:
    reader, clock = FakeReader(), Clock()
    at = desk(reader, clock)
    at.look()
    restated(reader)
    clock.minutes(1)
    reader.asked.clear()
    found = at.look()
    assert reader.asked.count("daily") == 1
    assert last(found) == NOW
    assert not found.trailing


def test_entries_are_read_only_for_those_who_ask_and_then_once() -> None:
    reader, clock = FakeReader(), Clock()
    at = desk(reader, clock)
    at.look()
    assert "entries" not in reader.asked
    for number in range(3):
        clock.minutes(number)
        found = at.look(entries=True).entries
        assert found is not None
        assert len(found) == 123
    assert reader.asked.count("entries") == 1


def test_a_sum_that_isn_t_the_stamp_is_trailing_and_asked_again_after_5_15_45_120_and_360_minutes() -> None:
    reader, clock = FakeReader(), Clock()
    reader.hidden = {day(119)}
    at = desk(reader, clock)
    asked = []
    for minute in range(0, 600):
        clock.minutes(minute)
        before = reader.asked.count("daily")
        assert at.look().trailing
        if reader.asked.count("daily") > before:
            asked.append(minute)
    assert asked == [0, 5, 15, 45, 120, 360]


def test_what_trailed_and_came_is_complete_and_not_asked_again() -> None:
    reader, clock = FakeReader(), Clock()
    reader.hidden = {day(119)}
    at = desk(reader, clock)
    at.look()
    reader.hidden = set()
    clock.minutes(5)
    assert not at.look().trailing
    clock.minutes(15)
    at.look()
    assert reader.asked.count("daily") == 2


def test_entries_trail_by_the_newest_of_each_date() -> None:
    reader, clock = FakeReader(), Clock()
    reader.hidden = {day(3)}
    assert desk(reader, clock).look(entries=True).entries_trailing
    assert stamp(FakeReader().entries()) == FakeReader().head().stamp


def test_entries_trail_when_an_older_entry_is_missing() -> None:
    reader, clock = FakeReader(), Clock()
    older = reader.kept.pop(40)
    assert older.day.date == RESTATED[0]
    assert desk(reader, clock).look(entries=True).entries_trailing
    assert not desk(reader, clock).look(entries=True).trailing


def test_what_was_never_read_is_not_empty() -> None:
    reader, clock = FakeReader(broken={"store"}), Clock()
    at = desk(reader, clock)
    found = at.look(entries=True)
    assert (found.rows, found.entries, found.trailing) == (None, None, False)
    assert found.details is not None
    assert found.details.notices is None
    reader.broken = {"ledger"}
    assert desk(reader, clock).look().details is None
    nothing = empty()
    assert desk(nothing, clock).look(entries=True, notices=True).entries == ()


def test_an_answer_on_its_way_is_not_empty() -> None:
    class Slow(FakeReader):
        gate = threading.Event()

        def entries(self) -> list[Row]:
            self.gate.wait(10)
            return super().entries()

    reader = Slow()
    at = Desk(reader, reader, SETTINGS, Clock(), patience=(5, 0.05))
    at.look()
    found = at.look(entries=True)
    assert found.waiting
    assert found.entries is None
    reader.gate.set()


def test_out_of_reach_keeps_the_last_good_figures_and_says_since_when() -> None:
    reader, clock = FakeReader(), Clock()
    at = desk(reader, clock)
    at.look()
    reader.broken = {"store", "ledger"}
    for minute in (1, 2, 3):
        clock.minutes(minute)
        found = at.look()
    assert len(found.rows or ()) == 120
    assert [(problem.place, problem.since) for problem in found.problems] == [
        ("ledger", NOW + dt.timedelta(minutes=1))
    ]


def test_a_store_out_of_reach_shows_what_there_was_as_trailing() -> None:
    reader, clock = FakeReader(), Clock()
    at = desk(reader, clock)
    at.look()
    restated(reader)
    reader.broken = {"store"}
    clock.minutes(1)
    found = at.look()
    assert last(found) < NOW
    assert found.trailing
    assert found.problems[0].place == "store"


def test_back_in_reach_there_is_no_problem_any_more() -> None:
    reader, clock = FakeReader(), Clock()
    at = desk(reader, clock)
    reader.broken = {"store", "ledger"}
    assert at.look().head is None
    reader.broken = set()
    clock.minutes(1)
    found = at.look()
    assert found.problems == ()
    assert len(found.rows or ()) == 120


def test_what_just_failed_is_left_alone_for_a_while() -> None:
    reader, clock = FakeReader(broken={"ledger"}), Clock()
    at = desk(reader, clock)
    for _ in range(20):
        at.look()
    assert reader.asked == ["head"]


def test_nobody_waits_for_a_slow_store_once_there_are_figures() -> None:
    class Slow(FakeReader):
        gate = threading.Event()

        def daily(self) -> list[Row]:
            if self.asked.count("daily"):
                self.gate.wait(10)
            return super().daily()

    reader, clock = Slow(), Clock()
    at = Desk(reader, reader, SETTINGS, clock, patience=(0.05, 5))
    at.look()
    restated(reader)
    clock.minutes(1)
    found = at.look()
    assert found.waiting
    assert last(found) < NOW
    reader.gate.set()
    at = Desk(reader, reader, SETTINGS, clock, patience=(5, 5))
    assert last(at.look()) == NOW


def test_a_store_that_hangs_is_asked_once_and_everybody_else_is_answered_from_memory() -> None:
    class Hanging(FakeReader):
        gate = threading.Event()

        def daily(self) -> list[Row]:
            found = super().daily()
            if self.asked.count("daily") > 1:
                self.gate.wait(10)
            return found

    reader, clock = Hanging(), Clock()
    at = Desk(reader, reader, SETTINGS, clock, patience=(0.05, 5))
    at.look()
    restated(reader)
    clock.minutes(1)
    assert at.look().waiting
    at._patience = (60, 60)  # whoever waited now would be missed below
    answers: list[Snapshot] = []
    people = [threading.Thread(target=lambda: answers.append(at.look())) for _ in range(50)]
    for one in people:
        one.start()
    for one in people:
        one.join(5)
    assert len(answers) == 50
    assert all(answer.waiting and last(answer) < NOW for answer in answers)
    assert reader.asked.count("daily") == 2
    reader.gate.set()
    while (found := at.look()).waiting:
        pass
    assert last(found) == NOW
    assert reader.asked.count("daily") == 2


def test_the_ledger_s_rest_is_read_again_when_its_head_has_moved() -> None:
    reader, clock = FakeReader(), Clock()
    at = desk(reader, clock)
    at.look(notices=True)
    clock.minutes(1)
    at.look(notices=True)
    assert reader.asked.count("notices") == 1
    reader.entered()
    clock.minutes(2)
    at.look(notices=True)
    assert reader.asked.count("notices") == 2


def test_an_unreachable_place_is_named() -> None:
    assert str(Unreachable("store", "no route")) == "store: no route"


def test_an_answer_is_given_again_until_something_is_entered() -> None:
    reader = FakeReader()
    clock = Clock()
    at = create_app(reader, reader, SETTINGS, clock, patience=(5, 5)).server.test_client()
    computed: list[View] = []

    def computing(snapshot: Snapshot, view: View) -> dict[str, Any]:
        computed.append(view)
        return CONTENT(snapshot, view)

    with patch.object(record, "content", computing):
        first = drawn(at, "/", "?asof=2020-06-15")
        assert drawn(at, "/", "?asof=2020-06-15") == first
        assert len(computed) == 1
        drawn(at, "/", "?asof=2020-06-16")
        assert len(computed) == 2
        restated(reader)
        clock.minutes(1)
        assert drawn(at, "/", "?asof=2020-06-15") != first
        reader.broken = {"ledger"}
        clock.minutes(2)
        assert "out of reach" in drawn(at, "/", "?asof=2020-06-15")
