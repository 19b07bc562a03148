"""The fetcher's own work against what a person would otherwise write."""

import datetime as dt
from collections.abc import Iterator
from statistics import median

from benchmarks import baseline
from benchmarks.inputs import published
from benchmarks.measure import Figure, ratio, seconds
from functions.diff import diff, events
from functions.plausibility import check
from functions.transform import Published, transform
from schemas.event import encode
from schemas.ledger import OPEN, Run

ROUNDS = 25
TIME = dt.datetime(2021, 1, 10, 12, tzinfo=dt.UTC)
FILES = {"nyt": "a" * 64, "jhu": "b" * 64}


def figures() -> Iterator[Figure]:
    nyt, jhu, what = published()

    def believed() -> Published:
        found = transform({"nyt": nyt, "jhu": jhu}, TIME.date())
        if reasons := check(found, {}, set()):
            raise AssertionError(reasons[0])
        return found

    def whole() -> list[bytes]:
        pending = diff(believed().days, {})
        run = Run(time=TIME, request="benchmark", trigger="manual", state=OPEN, files=FILES)
        return [encode(event) for event in events(pending, {}, run, "benchmark")]

    def plain() -> None:
        baseline.days(nyt, jhu)

    assert len(whole()) == len(baseline.days(nyt, jhu))  # noqa: S101 the same days, or nothing is compared
    for name, work, goal in (
        ("transform and check", believed, 0.27),
        ("the fetcher's own work", whole, 0.68),
    ):
        found, ours, theirs = ratio(lambda work=work: seconds(work), lambda: seconds(plain), ROUNDS)
        note = f"{what}: {ours * 1000:.1f} ms, plain pandas {theirs * 1000:.1f} ms"
        yield Figure(name, found, "× plain pandas", goal, note)
    speed = median(seconds(plain) for _ in range(ROUNDS)) * 1000
    yield Figure("plain pandas, which tells this machine's speed", speed, "ms", note="21 on a quiet one")
