"""Scenarios that hypothesis makes: a plan of small independent choices becomes a document of the language.

A plan holds no name and no reference, only numbers that are taken modulo what is there by then, so that it
stays a plan whatever hypothesis takes out of it.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

from hypothesis import strategies as st

Step = dict[str, Any]
Document = dict[str, Any]
Choice = tuple[Any, ...]  # the step's kind, and what it was given

MAX_STEPS = 25
FIRST = dt.date(2020, 3, 1)
LONG = "2019-11-02..2020-02-29"  # 120 days; of them and the others the consumer makes two chunks
FIGURES = (5, 7, 9)  # below a thousand any change is believed

CALLS = (
    *("fetcher kinesis:PutRecords", "fetcher ledger:commit", "fetcher ledger:read", "fetcher archive:put"),
    *("consumer store:write", "consumer ledger:commit", "consumer ledger:read", "consumer archive:put"),
    *("consumer archive:read", "fetcher archive:read", "reporter ledger:commit", "sns:Publish"),
    *("ops ledger:commit", "ops archive:read"),
)
# Where another acts meanwhile. Before a put: what was read later is then on the stream earlier.
BUSY = (
    *("fetcher kinesis:PutRecords", "fetcher kinesis:PutRecords", "fetcher ledger:commit"),
    *("consumer store:write", "consumer ledger:commit", "consumer archive:put"),
)
OTHERS = ("publish and run", "publish and run", "publish and run", "run", "replay", "release", "deliver")
WAYS = ("dies before", "dies after", "unanswered", "refused", "throttled", "denied")
LASTING = (1, 1, 1, 3, "3h", "13h", "ever")
SPANS = ("1m", "10m", "1h", "6h", "13h", "1d", "1d", "30h")
# What a command may exit with. 137: a fault killed it.
REPLAY, REBUILD = [0, 5, 6, 137], [0, 5, 6, 137]
ACCEPT = [0, 1, 2, 4, 6, 137]

places = st.integers(0, 5)
nothing = st.just(())
meanwhile = st.tuples(st.sampled_from(OTHERS), places)
# How often, of a hundred or so; and what is chosen beside.
KINDS: Mapping[str, tuple[int, st.SearchStrategy[Any]]] = {
    "run": (20, nothing),
    "publish": (22, st.tuples(places)),
    "wait": (14, st.tuples(st.sampled_from(SPANS))),
    "hold": (6, nothing),
    "release": (4, nothing),
    "retry": (5, st.tuples(places)),
    "run without retries": (2, nothing),
    "run and meanwhile": (10, st.tuples(st.sampled_from(BUSY), meanwhile)),
    "fail": (
        14,
        st.tuples(st.sampled_from(CALLS), st.sampled_from(WAYS), st.integers(1, 3), st.sampled_from(LASTING)),
    ),
    "mend": (4, st.tuples(places)),
    "deliver again": (4, nothing),
    "deliver only": (6, st.tuples(places)),
    "deliver late": (5, st.tuples(places)),
    "remake mapping": (3, nothing),
    "replay": (4, nothing),
    "replay the stream": (4, nothing),
    "rebuild": (5, nothing),
    "accept": (4, st.tuples(st.integers(0, 3))),
}
KIND = st.sampled_from([kind for kind, (often, _) in KINDS.items() for _ in range(often)])


@st.composite
def steps(draw: Any) -> Choice:
    kind = draw(KIND)
    return kind, *draw(KINDS[kind][1])


# A row: cases, absent where None; and recoveries, not reported where None, or where they are 0 after others.
# Both are rare, for most files without what others had are refused.
CASES = st.sampled_from([*FIGURES * 6, None])
RECOVERED = st.sampled_from([*[0] * 20, 5, 7, None])
rows = st.tuples(CASES, RECOVERED)
# Whose file is no table at all, if anybody's.
BROKEN = st.sampled_from([*[None] * 14, "nyt", "jhu"])
file = st.tuples(BROKEN, st.tuples(rows, rows, rows, rows))
plans = st.tuples(
    st.tuples(file, file, file, file),
    st.sampled_from([False] * 9 + [True]),  # a long history
    st.integers(3, 4),  # dates
    # A single list would be of six steps on average.
    st.tuples(*[st.lists(steps(), max_size=9)] * 4).map(lambda parts: [*chain(*parts)]),
)


def document(plan: tuple[Any, ...]) -> tuple[Document, list[str]]:
    """The document of a plan, and the kinds of its steps. What is impossible by then (a retry
    before any run) is left out."""
    drawn, long, count, choices = plan
    files = {
        f"f{number}": _files(rows[:count], long) | ({broken: "no table"} if broken else {})
        for number, (broken, rows) in enumerate(drawn)
    }
    made = _Made(files, count)
    made.publish(0)  # the first
    for kind, *given in choices[:MAX_STEPS]:
        _WRITE[kind](made, *given)
    made.end()
    used = {step["publish"] for step in made.every_step() if "publish" in step}
    published = {name: content for name, content in files.items() if name in used}
    return {"name": "made at random", "files": published, "steps": made.steps}, made.kinds


def _files(rows: Any, long: bool) -> dict[str, Any]:
    """Both files. A first row is always there, for a file without rows is none."""
    dates = [FIRST + dt.timedelta(days=number) for number in range(len(rows))]
    nyt: dict[Any, Any] = {LONG: 5} if long else {}
    jhu: dict[Any, Any] = {LONG: 0} if long else {}
    for place, (date, (cases, recovered)) in enumerate(zip(dates, rows, strict=True)):
        if cases is not None or place == 0:
            nyt[date], jhu[date] = cases or 5, recovered
    return {"nyt": nyt, "jhu": jhu}


class _Made:
    """The steps so far, and what later ones may name."""

    def __init__(self, files: Mapping[str, Any], dates: int) -> None:
        self.files, self.dates = list(files), dates
        self.steps: list[Step] = []
        self.kinds: list[str] = []  # of these steps, as they are counted
        self.runs: list[str] = []
        self._runs, self._served = 0, -1
        self.failing: list[str] = []
        self.held = self.rebuilds = False

    def add(self, kind: str, step: Step) -> None:
        self.kinds.append(kind)
        self.steps.append(step)

    def name(self, is_sure: bool = True) -> str:
        """A run's name. One that may never be asked for is named by no later step."""
        self._runs += 1
        name = f"r{self._runs}"
        self.runs += [name] if is_sure else []
        return name

    def publish(self, place: int) -> None:
        self.add("publish", {"publish": self.other(place)})

    def other(self, place: int) -> str:
        """Files other than those that are served."""
        self._served = (self._served + 1 + place % (len(self.files) - 1)) % len(self.files)
        return self.files[self._served]

    def end(self) -> None:
        """A rebuild that was interrupted is ended by a second one: everything rests until then."""
        if self.rebuilds:
            for call in dict.fromkeys(self.failing):
                self.add("mend", {"mend": call})
            self.add("rebuild", {"ops": ["replay", "--rebuild", "--yes"]})

    def every_step(self) -> Iterator[Step]:
        for step in self.steps:
            yield step
            yield from step.get("during", {}).get("do", ())


def _run(made: _Made) -> None:
    made.add("run", {"run": made.name()})


def _run_without_retries(made: _Made) -> None:
    made.add("run without retries", {"run": made.name(), "retries": "none"})


def _run_and_meanwhile(made: _Made, call: str, other: tuple[str, int]) -> None:
    kind, place = other
    run = made.name()
    do: list[Step] = {
        "run": lambda: [{"run": made.name(is_sure=False)}],
        "publish and run": lambda: [
            {"publish": made.other(place)},
            {"run": made.name(is_sure=False)},
        ],
        "replay": lambda: [{"ops": ["replay"], "exits": REPLAY}],
        "release": lambda: [{"release": "consumer"}],
        "deliver": lambda: [{"deliver": {"again": "all"}}],
    }[kind]()
    if kind == "release":
        made.held = False
    made.add("run and meanwhile", {"run": run, "during": {"call": call, "nth": 1 + place % 2, "do": do}})


def _hold(made: _Made) -> None:
    if not made.held:
        made.held = True
        made.add("hold", {"hold": "consumer"})


def _release(made: _Made) -> None:
    if made.held:
        made.held = False
        made.add("release", {"release": "consumer"})


def _retry(made: _Made, place: int) -> None:
    if made.runs:
        made.add("retry", {"retry": made.runs[-1 - place % len(made.runs)]})


def _fail(made: _Made, call: str, how: str, nth: int, lasting: int | str) -> None:
    made.failing.append(call)
    fault = {"call": call, "how": how, "nth": nth, "for": lasting}
    made.add(_failing(how, lasting), {"fail": {key: value for key, value in fault.items() if value != 1}})


def _failing(how: str, lasting: int | str) -> str:
    often = "once" if isinstance(lasting, int) else "for ever" if lasting == "ever" else "for hours"
    return f"{how} {often}"


def _mend(made: _Made, place: int) -> None:
    if made.failing:
        call = made.failing[-1 - place % len(made.failing)]
        made.add("mend", {"mend": call})


def _deliver(kind: str, key: str) -> Callable[..., None]:
    def write(made: _Made, place: int = 0) -> None:
        if made.runs:
            late = [made.runs[-1 - place % len(made.runs)]]
            given = {"again": "all", "only": 1 + place, "late": late}[key]
            made.add(kind, {"deliver": {"again": "all"} | {key: given}})

    return write


def _ops(kind: str, *arguments: str) -> Callable[..., None]:
    def write(made: _Made) -> None:
        made.rebuilds = made.rebuilds or "--rebuild" in arguments
        exits = REBUILD if "--rebuild" in arguments else REPLAY
        made.add(kind, {"ops": ["replay", *arguments], "exits": exits})

    return write


def _accept(made: _Made, place: int) -> None:
    date = FIRST + dt.timedelta(days=place % made.dates)
    made.add("accept", {"ops": ["accept", str(date), "--reason", "known"], "exits": ACCEPT})


_WRITE: dict[str, Callable[..., None]] = {
    "run": _run,
    "publish": _Made.publish,
    "wait": lambda made, span: made.add("wait", {"wait": span}),
    "hold": _hold,
    "release": _release,
    "retry": _retry,
    "run without retries": _run_without_retries,
    "run and meanwhile": _run_and_meanwhile,
    "fail": _fail,
    "mend": _mend,
    "deliver again": _deliver("deliver again", "again"),
    "deliver only": _deliver("deliver only", "only"),
    "deliver late": _deliver("deliver late", "late"),
    "remake mapping": lambda made: made.add("remake mapping", {"remake mapping": "trim horizon"}),
    "replay": _ops("replay"),
    "replay the stream": _ops("replay the stream", "--source", "stream"),
    "rebuild": _ops("rebuild", "--rebuild", "--yes"),
    "accept": _accept,
}


# The kinds of steps as they are counted: of ``fail`` each way, and how long.
COUNTED = [
    *(kind for kind in KINDS if kind != "fail"),
    *dict.fromkeys(_failing(how, lasting) for how in WAYS for lasting in LASTING),
]


def text(document: Document) -> str:
    """As a file of the language: a line a file and a step."""
    lines = [f"name: {document['name']}", "files:"]
    lines += [f"  {name}: {_flow(content)}" for name, content in document["files"].items()]
    lines.append("steps:")
    lines += [f"  - {_flow(step)}" for step in document["steps"]]
    return "\n".join([*lines, ""])


def _flow(value: Any) -> str:
    """A value in one line."""
    match value:
        case dict():
            return "{" + ", ".join(f"{key}: {_flow(part)}" for key, part in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_flow, value)) + "]"
        case str() if ":" in value:
            return json.dumps(value)
        case None:
            return "null"
    return str(value)
