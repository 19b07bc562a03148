"""The crash matrix: every call of every handler, failing in each way, in each situation (tests/faults.py).

The cases are made from what a recorder sees, so a new call brings its own. One test plays the cases of one
situation and one way; what it says of a broken one is enough to play it again.
"""

import os
from itertools import product

import faults
import pytest
import reliability
from faults import SITUATIONS, WAYS, Call, Case
from in_process import in_process

pytestmark = pytest.mark.cloud

# The calls of each situation, as counted when it was made. More of them are more cases; fewer are a part of
# the system that isn't tried any more: then say here why.
CALLS = {
    "first load": 16,
    "daily increment": 16,
    "restated days": 16,
    "recovery after a failed run": 31,
    "recovery after a batch given up": 30,
    "a report left unsent": 19,
}
LEAST_CASES = 300


@pytest.fixture(scope="module")
def daybook():
    with in_process() as found:
        yield found


@pytest.fixture(scope="module")
def calls(daybook):
    """What a recorder sees in a situation; asked once."""
    seen: dict[str, list[Call]] = {}

    def of(situation: str) -> list[Call]:
        if situation not in seen:
            seen[situation] = faults.recorded(daybook, situation)
        return seen[situation]

    return of


# Two situations of seven runs between them are for the night, and of the other four every second case: each
# call fails in four ways, and each way is that of every second call.
LONG = {"recovery after a batch given up", "a report left unsent"}
NIGHT = bool(os.environ.get("DAYBOOK_LONG"))


def chosen(situation, calls, night=NIGHT):
    cases = [Case(situation, call, way) for call in calls for way in WAYS]
    return [case for case in cases if night or (case.call.number + WAYS.index(case.way)) % 2]


def played(situation, *way):
    """A test's parameters. Each situation is played in one process, whichever of them."""
    marks = [pytest.mark.xdist_group(f"matrix {situation}")]
    marks += [pytest.mark.long] if situation in LONG else []
    return pytest.param(situation, *way, marks=marks, id="-".join((situation, *way)))


@pytest.mark.parametrize("situation", [played(name) for name in SITUATIONS])
def test_no_call_went_untried_and_every_service_and_handler_of_a_situation_is_among_them(calls, situation):
    found = calls(situation)
    print(f"{situation}: {len(found)} calls, {len(found) * len(WAYS)} cases in the long run")
    assert len(found) >= CALLS[situation]
    assert [call.number for call in found] == list(range(1, len(found) + 1))
    assert {"fetcher", "consumer"} <= {call.handler for call in found}
    assert ("reporter" in {call.handler for call in found}) == situation.startswith("recovery")


def test_the_cases_are_distinct_and_no_fewer_than_they_were():
    listed = {name: [Call(n, "", "") for n in range(1, count + 1)] for name, count in CALLS.items()}
    everything = [case for name, calls in listed.items() for case in chosen(name, calls, night=True)]
    by_day = [case for name in listed.keys() - LONG for case in chosen(name, listed[name], night=False)]
    assert CALLS.keys() == SITUATIONS.keys()
    assert len(set(everything)) == len(everything) >= 3 * LEAST_CASES
    assert len(by_day) >= LEAST_CASES
    assert {(case.situation, case.way) for case in by_day} == set(product(listed.keys() - LONG, WAYS))
    print(f"{len(by_day)} cases, {len(everything)} in the long run")


@pytest.mark.parametrize(
    ("situation", "way"), [played(situation, way) for situation in SITUATIONS for way in WAYS]
)
def test_whatever_fails_once_it_is_over_one_run_makes_good(daybook, calls, situation, way):
    broken = []
    cases = [case for case in chosen(situation, calls(situation)) if case.way == way]
    with reliability.counted(f"calls: {way}", len(cases)) as count:
        for case in cases:
            try:
                faults.play(daybook, case)
            except AssertionError as problem:
                broken.append(f"{case}\n  {problem}")
                count["broken"] += 1
    assert not broken, "\n".join([f"{len(broken)} of {len(cases)} cases:", *broken])
