"""A made-up record, and a ledger and tables in one that fail, trail and count as they are told."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from dashboard.settings import Settings
from schemas.day import Day
from schemas.figures import Counts
from schemas.ledger import COMPLETED, Acknowledged, Head, Run, SentNotice, SourceFile, Warning
from schemas.moment import version
from schemas.notice import DAILY_REPORT, Notice
from storage.change import Reading
from storage.errors import Place, Unreachable
from storage.tables import Row

FIRST = dt.date(2020, 3, 1)
DAYS = 120
LAST = FIRST + dt.timedelta(days=DAYS - 1)
UNREPORTED_FROM = FIRST + dt.timedelta(days=100)
RESTATED_ON = dt.datetime(2020, 6, 20, 12, tzinfo=dt.UTC)  # … were these three days
RESTATED = tuple(FIRST + dt.timedelta(days=number) for number in (40, 41, 90))
NOW = dt.datetime(2020, 6, 29, 14, tzinfo=dt.UTC)
LAST_RUN = dt.datetime(2020, 6, 29, 12, tzinfo=dt.UTC)

SETTINGS = Settings(
    stack="test",
    ledger_table="ledger",
    store="timestream",
    database="daybook",
    daily_table="daily",
    revisions_table="revisions",
    bundle="b0nd1e",
    schedule="cron(0 12 * * ? *)",
    stale_after_hours=36,
    synthetic=False,
)


def day(number: int) -> dt.date:
    """The number-th date of the made-up record, from 0."""
    return FIRST + dt.timedelta(days=number)


def counts(number: int) -> Counts:
    """Figures that rise, faster and slower, and are nobody's."""
    wave = 4_000_000 * number**2 // (number**2 + 9_000)
    recovered = wave // 3 if number < 100 else None
    return Counts(wave + 7 * number + 1, wave // 40, recovered)


def row(number: int, found: Counts, entered: dt.datetime) -> Row:
    stamp = version(entered)
    event = f"US/{day(number)}/{stamp}/{found.digest}"
    return Row(Day(day(number), found), stamp, event, "a run")


def entries(days: int = DAYS) -> list[Row]:
    """Each day entered at noon of the next, and three of them once more on 20 June."""
    found = [
        row(number, counts(number), dt.datetime.combine(day(number + 1), dt.time(12), dt.UTC))
        for number in range(days)
    ]
    for date in RESTATED:
        number = (date - FIRST).days
        if number < days:
            before = counts(number)
            recovered = None if before.recovered is None else before.recovered + 50
            after = Counts(before.cases + 1_234, before.deaths, recovered)
            found.append(row(number, after, RESTATED_ON))
    return sorted(found, key=lambda one: (one.day.date, one.version))


def current(found: Iterable[Row]) -> list[Row]:
    newest = {one.day.date: one for one in found}
    return list(newest.values())


def run(time: dt.datetime = LAST_RUN, state: str = COMPLETED, **more: object) -> Run:
    known: dict[str, object] = {"request": "request-1", "trigger": "schedule", "code": "c0de"}
    return Run(time=time, state=state, **(known | more))  # type: ignore[arg-type]


def runs() -> list[Run]:
    """A run a day, newest first."""
    return [
        run(
            LAST_RUN - dt.timedelta(days=number),
            request=f"request-{number}",
            inserted=frozenset({day(119 - number)}),
        )
        for number in range(30)
    ]


@dataclass
class FakeReader:
    """The ledger and the tables in one. What is in ``broken`` gives no answer; ``asked`` counts what was
    asked."""

    kept: list[Row] = field(default_factory=entries)
    head_: Head = field(default_factory=Head)
    files_: list[SourceFile] = field(default_factory=list)
    runs_: list[Run] = field(default_factory=runs)
    owing_: list[Run] = field(default_factory=list)
    notices_: list[SentNotice] = field(default_factory=list)
    broken: set[Place] = field(default_factory=set)
    hidden: set[dt.date] = field(default_factory=set)  # written, and not yet to be seen
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.head_ == Head() and self.kept:
            self.entered()

    def entered(self, **more: object) -> None:
        """The head as it is after these entries."""
        found = current(self.kept)
        known: dict[str, object] = {
            "last_acknowledged": found[-1].day.date,
            "newest": found[-1].day.date,
            "stamp": sum(one.version for one in found),
            "entries": len(self.kept),
            "last_run": LAST_RUN,
            "last_success": LAST_RUN,
            "moves": self.head_.moves + 1,
        }
        self.head_ = replace(self.head_, **(known | more))  # type: ignore[arg-type]
        newest = found[-1].day.date
        self.files_ = [SourceFile(name, name * 20, len(found), newest, LAST_RUN) for name in ("nyt", "jhu")]

    def daily(self) -> list[Row]:
        self._ask("store", "daily")
        return [one for one in current(self.kept) if one.day.date not in self.hidden]

    def entries(self) -> list[Row]:
        self._ask("store", "entries")
        return [one for one in self.kept if one.day.date not in self.hidden]

    def head(self) -> Head:
        self._ask("ledger", "head")
        return self.head_

    def files(self) -> list[SourceFile]:
        self._ask("ledger", "files")
        return self.files_

    def runs(self, limit: int) -> list[Run]:
        self._ask("ledger", "runs")
        return self.runs_[:limit]

    def runs_named(self, names: Iterable[str]) -> list[Run]:
        self._ask("ledger", "runs named")
        return [one for one in self.runs_ if one.name in set(names)]

    def owing(self) -> Reading:
        self._ask("ledger", "owing")
        days = {one.day.date: acknowledged(one) for one in current(self.kept)}
        return Reading(self.head_, None, tuple(self.owing_), days)

    def owe(self, *runs: Run, **more: object) -> None:
        """These runs owe their dates; the head says so."""
        self.owing_ = list(runs)
        self.entered(**({"owing": frozenset(run.name for run in runs)} | more))

    def notices(self) -> list[SentNotice]:
        self._ask("ledger", "notices")
        return self.notices_

    def _ask(self, place: Place, what: str) -> None:
        self.asked.append(what)
        if place in self.broken:
            raise Unreachable(place, "no answer")


def acknowledged(one: Row) -> Acknowledged:
    return Acknowledged(
        date=one.day.date,
        counts=one.day.counts,
        version=one.version,
        seen=one.version,
        entries=1,
        event=one.event,
        run="r",
        acknowledged_at=LAST_RUN,
    )


def empty() -> FakeReader:
    """Before the first run."""
    return FakeReader(kept=[], runs_=[])


def told(
    subject: str = "Daybook: 1 row inserted, 0 updated", email: str = "The run is complete.\n"
) -> SentNotice:
    return SentNotice(Notice("n", DAILY_REPORT, subject, email, "sms", "r"), LAST_RUN, "sent", LAST_RUN)


def warned(code: str, text: str) -> Warning:
    return Warning(code, text)
