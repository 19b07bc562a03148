"""The model of the whole: what is published is a dict of figures, and nothing that goes wrong on the way may
show in the end. Hypothesis chooses what happens, and in which order, and shortens a life that breaks.

What happens is steps of scenarios, done by their player (local/scenario); ``text`` writes a life down as one.
"""

import datetime as dt
import sys
from dataclasses import dataclass, field
from typing import Any

from faults import WAYS
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from published import BREAKS, Published

from local.in_process import START, InProcessCloud
from local.scenario import reading
from local.scenario.calls import Call
from local.scenario.form import Delivery, Fault, Scenario, Step
from local.scenario.invariants import problems
from local.scenario.play import Player
from local.scenario.watch import dump
from ops.invariants.ending import changed
from schemas.ledger import COMPLETED

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
LAST_AT_FIRST = START.date() - dt.timedelta(days=5)  # room for days to come before time has to pass
HISTORIES = (1, 3, 3, 6, 6, 120)  # days published at first; of 120 the consumer makes two chunks
LONGEST_NEWS = 3
KINDS = ("fetcher", "consumer", "", "reporter")
OPERATIONS = (
    "archive:put", "archive:read", "kinesis:PutRecords", "ledger:commit", "ledger:commit", "ledger:read",
    "sns:Publish", "store:write", "store:write",
)  # fmt: skip

# Below a thousand `check` believes any change; nobody dies who was no case.
day_figures = st.tuples(st.integers(99, 999), st.integers(0, 99), st.none() | st.integers(1, 999))
few_figures = st.sampled_from([(100, 0, 1), (101, 0, 1), (102, 1, 2)])  # so that sources go back
places = st.lists(st.integers(0, 3), min_size=1, max_size=4)
spans = st.sampled_from([HOUR, HOUR, 3 * HOUR, 15 * HOUR, DAY])


@dataclass
class Life:
    """A player at work, and the steps that it was given."""

    player: Player
    steps: list[Step] = field(default_factory=list)

    def do(self, kind: str, value: Any = None, **more: Any) -> None:
        step = Step(kind, value, len(self.steps) + 1, **more)
        self.steps.append(step)
        self.player.do((step,))


class Broken(AssertionError):
    """What doesn't hold, after these steps."""


class Model(RuleBasedStateMachine):
    """A life of the system: what happens, and beside it the dict of what it should come to."""

    def __init__(self, cloud: InProcessCloud) -> None:
        super().__init__()
        self.cloud = cloud
        self.published = Published()
        self.files: dict[str, dict[str, bytes | None]] = {}
        self.life = Life(Player(cloud, Scenario("a life", (), self.files)))
        self.runs = 0

    # What the sources do

    @initialize(count=st.sampled_from(HISTORIES))
    def first_published(self, count: int) -> None:
        first = LAST_AT_FIRST - (count - 1) * DAY
        for number in range(count):
            self.published.enter(first + number * DAY, (100 + number, 0, number + 1))
        self._serve()
        self.run()

    @rule(news=st.lists(day_figures, min_size=1, max_size=LONGEST_NEWS), gap=st.integers(0, 4))
    def publish(self, news: list[Any], gap: int) -> None:
        """The days after the newest; where the gap falls among them, that one is left for later."""
        today = self.cloud.clock.now().date()
        for number, figures in enumerate(news, 1):
            date = self.published.newest + DAY
            if number == gap < len(news) and date < today:
                self.published.skipped.append(date)
                date += DAY
            if date > today:
                break
            self.published.enter(date, figures)
        self._serve()

    @precondition(lambda self: self.published.skipped)
    @rule(figures=day_figures)
    def publish_what_was_left_out(self, figures: Any) -> None:
        self.published.enter_late(figures)
        self._serve()

    @rule(places=places, figures=few_figures, then=st.sampled_from(["run", "run", ""]))
    def restate(self, places: list[int], figures: Any, then: str) -> None:
        """Of few figures and few dates, so that the sources go back to what they said."""
        for place in places:
            self.published.restate(place, figures)
        self._serve()
        if then:
            self.run()

    @precondition(lambda self: self.published.broken is None)
    @rule(kind=st.sampled_from(sorted(BREAKS)), place=st.integers(0, 10**6))
    def break_a_file(self, kind: str, place: int) -> None:
        self.published.break_(kind, place)
        self._serve()

    @precondition(lambda self: self.published.broken is not None)
    @rule()
    def mend_the_file(self) -> None:
        self.published.broken = None
        self._serve()

    def _serve(self) -> None:
        name = f"files {len(self.files) + 1}"
        self.files[name] = dict.fromkeys(("nyt", "jhu")) | self.published.files()
        self.life.do("publish", name)

    # What time does

    @rule()
    def run(self) -> None:
        self.runs += 1
        self.life.do("run", f"run {self.runs}")

    @rule(span=spans)
    def wait(self, span: dt.timedelta) -> None:
        self.life.do("wait", span)

    @precondition(lambda self: not self.life.player.held)
    @rule()
    def hold(self) -> None:
        """So that runs overlap."""
        self.life.do("hold", "consumer")

    @precondition(lambda self: self.life.player.held)
    @rule()
    def release(self) -> None:
        self.life.do("release", "consumer")

    @rule(number=st.integers(1, 6))
    def retry(self, number: int) -> None:
        self.life.do("retry", f"run {1 + (self.runs - number) % self.runs}")

    @rule(late=st.integers(1, 6), only=st.lists(st.integers(1, 9), max_size=4))
    def deliver_again(self, late: int, only: list[int]) -> None:
        run = f"run {1 + (self.runs - late) % self.runs}"
        self.life.do("deliver", Delivery((), tuple(only), (run,)))

    @precondition(lambda self: not self.life.player.held)
    @rule()
    def replay(self) -> None:
        """A replay beside whatever is under way."""
        self.life.do("ops", ["replay"], options={"exits": (0,)})

    # What goes wrong on the way

    @rule(
        handler=st.sampled_from(KINDS),
        operation=st.sampled_from(OPERATIONS),
        nth=st.integers(1, 6),
        way=st.sampled_from(sorted(WAYS)),
        span=st.none() | spans,
    )
    def fail(self, handler: str, operation: str, nth: int, way: str, span: dt.timedelta | None) -> None:
        """Calls fail from now on, as often as the way has it, or for so long."""
        how, lasting = WAYS[way]
        call = Call(handler, operation)
        self.life.do(
            "fail", faults=(Fault(call, how, nth, lasting=span if lasting is None and span else lasting),)
        )

    @rule()
    def lift_faults(self) -> None:
        self.life.player.faults.lift()

    # What holds, always and in the end

    @invariant()
    def nothing_is_let_in_that_was_never_published(self) -> None:
        for row in reading.daily(self.cloud):
            if reading.figures(row.day.counts) not in self.published.ever.get(row.day.date, ()):
                raise Broken(self.text([f"{row.day} was never published"]))

    def teardown(self) -> None:
        if sys.exc_info()[0] or not self.runs:
            return  # it broke on the way
        player = self.life.player
        player.faults.lift()
        if player.held:
            self.release()
        self.published.broken = None
        self._serve()
        player.wait(None)
        closing = self.closing_run()
        player.watch.copies = player.faults.copies
        found = [*player.problems, *problems(self.cloud, player.watch, ())]
        shown = {row.day.date: reading.figures(row.day.counts) for row in reading.daily(self.cloud)}
        if shown != self.published.figures or closing != COMPLETED:
            found.append(
                f"the closing run is {closing}; daily has {shown}, published is {self.published.figures}"
            )
        if not found:
            found = [f"{f.place}: {f.what}" for f in self.what_a_replay_changes()]
        if found:
            raise Broken(self.text(found))

    def closing_run(self) -> str:
        player = self.life.player
        request = player.ask().request
        player.wait(None)
        return next((run.state for run in reading.runs(self.cloud) if run.request == request), "none")

    def what_a_replay_changes(self) -> list[Any]:
        """A replay, a mapping made anew and a rebuild change nothing."""
        before = dump(self.cloud)
        self.life.do("ops", ["replay"])
        self.life.do("remake mapping", "trim horizon")
        self.life.do("ops", ["replay", "--rebuild", "--yes"])
        return changed(before, dump(self.cloud))

    def text(self, found: list[str]) -> str:
        """What broke, and the life as steps of a scenario."""
        return "\n  ".join(["", *found, *map(written, self.life.steps)])


def written(step: Step) -> str:
    """A step, nearly as a scenario file has it."""
    faults = [
        f'fail: {{call: "{f.call}", nth: {f.nth}, how: {f.how}, for: {f.lasting}}}' for f in step.faults
    ]
    return "- " + ", ".join([*([] if step.faults else [f"{step.kind}: {step.value}"]), *faults])
