"""The model of the whole: what is published is a dict of figures, and nothing that goes wrong on the way may
show in the end. Hypothesis chooses what happens, and in which order, and shortens a life that breaks.
"""

import datetime as dt
import sys
from typing import Any

import faults
import scenarios
from faults import DAY, go
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from invariants import Broken, Watch, broken
from published import BREAKS, Published
from scenarios import HOUR, garbage, negative, payloads
from schemas.run import COMPLETED, OPEN
from system import START, System
from weather import OPERATIONS, Weather

from schemas.event import about

LAST_AT_FIRST = START.date() - dt.timedelta(days=5)  # room for days to come before time has to pass
HISTORIES = (1, 3, 3, 6, 6, 120)  # days published at first; of 120 the consumer makes two chunks
LONGEST_NEWS = 3

# Below a thousand `check` believes any change; nobody dies who was no case.
day_figures = st.tuples(st.integers(99, 999), st.integers(0, 99), st.none() | st.integers(1, 999))
places = st.lists(st.integers(0, 10**6), min_size=1, max_size=6)
NOTHING, RUN, IN_FLIGHT = "nothing yet", "a run", "a run whose records stay in flight"
thens = st.sampled_from([RUN, RUN, IN_FLIGHT, NOTHING])  # what follows when something was published


class LateApart(Watch):
    """Dates that were first published behind later ones are pending behind the last acknowledged one."""

    def __init__(self, daybook: System, published: Published) -> None:
        super().__init__(daybook)
        self._model = published

    def published(self) -> list[dt.date]:
        return [date for date in self._model.figures if date not in self._model.late]


class Model(RuleBasedStateMachine):
    """A life of the system: what happens, and beside it the dict of what it should come to."""

    def __init__(self, daybook: System) -> None:
        super().__init__()
        self.daybook = daybook
        self.published = Published()
        with faults.fresh(daybook):
            daybook.cloud.runtime.after.clear()  # type: ignore[attr-defined]
        self.watch = LateApart(daybook, self.published)
        daybook.cloud.runtime.after.append(self.watch.look)  # type: ignore[attr-defined]
        self.weather = Weather(daybook)
        self.in_flight = self.damaged = False

    # What the sources do

    @initialize(count=st.sampled_from(HISTORIES), data=st.data())
    def first_published(self, count: int, data: Any) -> None:
        first = LAST_AT_FIRST - (count - 1) * DAY
        for number in range(count):
            figures = data.draw(day_figures) if count < 10 else (number, 0, number + 1)
            self.published.enter(first + number * DAY, figures)
        self._serve()

    @rule(news=st.lists(day_figures, min_size=1, max_size=LONGEST_NEWS), gap=st.integers(0, 4), then=thens)
    def publish(self, news: list[Any], gap: int, then: str) -> None:
        """The days after the newest; where the gap falls among them, that one is left for later."""
        for number, figures in enumerate(news, 1):
            date = self.published.newest + DAY
            if date > self.daybook.moment.date():
                break
            if number == gap < len(news):
                self.published.skipped.append(date)
                date += DAY
                if date > self.daybook.moment.date():
                    break
            self.published.enter(date, figures)
        self._serve(then)

    @precondition(lambda self: self.published.skipped)
    @rule(figures=day_figures, then=thens)
    def publish_what_was_left_out(self, figures: Any, then: str) -> None:
        self.published.enter_late(figures)
        self._serve(then)

    @rule(places=places, figures=day_figures, then=thens)
    def restate(self, places: list[int], figures: Any, then: str) -> None:
        for place in places:
            self.published.restate(place, figures)
        self._serve(then)

    @precondition(lambda self: self.published.broken is None)
    @rule(kind=st.sampled_from(sorted(BREAKS)), place=st.integers(0, 10**6), then=thens)
    def break_a_file(self, kind: str, place: int, then: str) -> None:
        self.published.break_(kind, place)
        self._serve(then)

    @precondition(lambda self: self.published.broken is not None)
    @rule(then=thens)
    def mend_the_file(self, then: str) -> None:
        self.published.broken = None
        self._serve(then)

    def _serve(self, then: str = NOTHING) -> None:
        files = self.daybook.publisher.files
        files.clear()
        files.update(self.published.files())
        if then == RUN:
            self.run()
        elif then == IN_FLIGHT:
            self.run_and_leave_in_flight()

    # What time does

    @rule()
    def run(self) -> None:
        """A day's run and all that comes of it. With nothing wrong it makes everything good."""
        calm = self.weather.calm and self.published.broken is None and not self.in_flight
        go(self.daybook)
        self._look_at_the_queues()
        if calm:
            self.watch.pending_has_a_reason()
            self._agrees("6: after a run with nothing wrong")

    @rule()
    def run_and_leave_in_flight(self) -> None:
        """Its records stay on the stream; the next run is due before anybody reads them."""
        self.daybook.cloud.clock.advance_to(self.daybook.moment)
        self.daybook.cloud.run(self.daybook.moment)
        self.daybook.cloud.runtime.drain(self.daybook.moment)
        self.daybook.moment += HOUR
        self.in_flight = True

    @precondition(lambda self: self.in_flight)
    @rule()
    def deliver(self) -> None:
        scenarios.settle(self.daybook)
        self._look_at_the_queues()

    def _look_at_the_queues(self) -> None:
        cloud = self.daybook.cloud
        self.in_flight = any(part.next_moment for part in (cloud.runtime, *cloud.mappings))

    # What goes wrong on the way

    @rule(places=places)
    def duplicate(self, places: list[int]) -> None:
        """Records lie on the stream again, in whatever order."""
        if found := payloads(self.daybook):
            scenarios.put(self.daybook, *(found[-1 - place % len(found)] for place in places))
            self.in_flight = True

    @rule(damage=st.sampled_from([garbage, negative]), place=st.integers(0, 10**6))
    def damage_a_record(self, damage: Any, place: int) -> None:
        """A copy of a record comes damaged: its day is no longer believed."""
        if found := [payload for payload in payloads(self.daybook) if about(payload).date]:
            scenarios.put(self.daybook, damage(found[-1 - place % len(found)]))
            self.in_flight = self.damaged = True

    @rule(seed=st.integers(0, 10**6))
    def reorder(self, seed: int) -> None:
        self.weather.shuffle(seed)

    @precondition(lambda self: not self.weather.failing)
    @rule(number=st.integers(1, 24), way=st.sampled_from(faults.WAYS))
    def crash(self, number: int, way: str) -> None:
        self.weather.fail(number, way)

    @precondition(lambda self: not self.weather.failing)
    @rule(operation=st.sampled_from(OPERATIONS))
    def throttle(self, operation: str) -> None:
        self.weather.throttle(operation)

    @precondition(lambda self: not self.weather.calm)
    @rule()
    def lift_faults(self) -> None:
        self.weather.lift()

    # What holds, always and in the end

    @invariant()
    def nothing_is_let_in_and_nothing_doubled(self) -> None:
        rows = self.daybook.cloud.reader.daily()
        shown = {row.day.date: _figures(row) for row in rows}
        if len(shown) != len(rows):
            raise Broken("2: a date has two current rows")
        for date, figures in shown.items():
            if figures not in self.published.ever.get(date, ()):
                raise Broken(f"{date} has {figures}, which was never published")

    def teardown(self) -> None:
        if sys.exc_info()[0]:
            return  # it broke on the way
        self.weather.lift()
        self.published.broken = None
        self._serve()
        scenarios.settle(self.daybook)
        go(self.daybook)
        self._agrees("6: one run after the faults")
        if any(run.state == OPEN for run in self.daybook.cloud.ledger.recent_runs()):
            go(self.daybook)  # what nobody answers for is given up once its records are too old
        problems = [
            problem for problem in broken(self.daybook, self.weather.copies) if not self._alarm(problem)
        ]
        if problems:
            raise Broken("\n  ".join(problems))
        self._agrees("6: in the end")
        assert self.daybook.cloud.ledger.recent_runs(1)[0].state == COMPLETED

    def _alarm(self, problem: str) -> bool:
        """Where a damaged copy has taken a day's belief and then a good one is given up, people are told that
        the day could not be entered: it is pending, though its run is complete. Rather too loud than silent.
        """
        return self.damaged and problem.startswith("5: people were told")

    def _agrees(self, when: str) -> None:
        shown = {row.day.date: _figures(row) for row in self.daybook.cloud.reader.daily()}
        if shown != self.published.figures:
            raise Broken(f"{when} the table has {shown}, the model {self.published.figures}")


def _figures(row: Any) -> tuple[int, int, int | None]:
    counts = row.day.counts
    return counts.cases, counts.deaths, counts.recovered
