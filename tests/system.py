"""The whole local system for a test: a cloud, its sources, and what the tests ask of it."""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from builders import jhu, nyt

from local.aws.publication import Publication
from local.clock import Clock
from local.cloud import LocalCloud
from local.sources.publisher import Publisher
from schemas.ledger import Run

START = dt.datetime(2020, 3, 10, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
# For a module's fixture. Each store's tests are a group: in their random order the fixture would otherwise be
# made anew at each change from one to the other.
EITHER_STORE = [
    pytest.param(store, marks=pytest.mark.xdist_group(store), id=store)
    for store in ("timestream", "dynamodb")
]


class System:
    """One stack on loopback; ``publish`` what the sources say, ``run`` and look."""

    def __init__(self, cloud: LocalCloud, publisher: Publisher) -> None:
        self.cloud = cloud
        self.publisher = publisher
        self.moment = START

    def publish(self, cases: dict[str, int], recovered: dict[str, int] | None = None) -> None:
        """Both files, one row a date; recoveries are 0 unless given."""
        recovered = dict.fromkeys(cases, 0) if recovered is None else recovered
        self.publisher.files["nyt"] = nyt(*(f"{date},{count},0" for date, count in cases.items()))
        self.publisher.files["jhu"] = jhu(*(f"{date},{count}" for date, count in recovered.items()))

    def run(self, settle: bool = True) -> Run:
        """The run of the next day, and all that comes of it before the day after."""
        self.cloud.clock.advance_to(self.moment)
        request = self.cloud.run(self.moment)
        self.moment += DAY
        if settle:
            self.cloud.settle(until=self.moment - dt.timedelta(minutes=1))
        else:
            self.cloud.runtime.drain(until=self.moment - dt.timedelta(minutes=1))
        return self.stored(request)

    def stored(self, request: str) -> Run:
        """The run of a request, as the ledger has it now."""
        return next(run for run in self.cloud.ledger.runs() if run.request == request)

    def daily(self) -> dict[str, int]:
        """Cases by date, as ``daily`` has them."""
        return {row.day.date.isoformat(): row.day.counts.cases for row in self.cloud.tables.daily()}

    def revisions(self, date: str) -> list[int]:
        """The cases that were ever entered for a date, oldest first."""
        return [row.day.counts.cases for row in self.cloud.tables.entries(dt.date.fromisoformat(date))]

    def told(self, topic: str) -> list[Publication]:
        """What was sent to this topic."""
        return [item for item in self.cloud.emulator.publications if item.topic_arn.endswith(topic)]

    def subjects(self, topic: str) -> list[str]:
        return [str(item.subject) for item in self.told(topic)]

    def agrees(self) -> None:
        """The ledger's days, its stamp and the table are one and the same."""
        rows = self.cloud.tables.daily()
        days = self.cloud.ledger.days()
        head = self.cloud.ledger.head()
        assert {row.day.date: (row.day.counts, row.version, row.event) for row in rows} == {
            day.date: (day.counts, day.version, day.event) for day in days.values()
        }
        assert head.stamp == sum(row.version for row in rows)
        assert head.entries == len(self.cloud.tables.entries()) == sum(day.entries for day in days.values())
        assert head.unsent == frozenset()

    @contextmanager
    def on_call(self, operation: str, do: Callable[[], str | None]) -> Iterator[None]:
        """While inside, ``do`` comes before each call of this operation; an error it gives is the answer."""
        calls = self.cloud.emulator.before
        calls[operation] = do
        try:
            yield
        finally:
            del calls[operation]


@contextmanager
def system(**config: str) -> Iterator[System]:
    with Publisher() as publisher, LocalCloud(Clock.virtual(START), publisher.config() | config) as cloud:
        yield System(cloud, publisher)
