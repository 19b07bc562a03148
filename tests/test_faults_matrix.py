"""The crash matrix: every call of every handler, failing in each way, in each situation (tests/faults.py).

The cases are made from what is recorded, so a new call brings its own. One test plays the cases of one
situation and one way on one store; what it says of a broken one is a line of a scenario, to play it again.
"""

import os
from itertools import product

import faults
import pytest
import reliability
from faults import SITUATIONS, WAYS, Case

from local.in_process import in_process

pytestmark = pytest.mark.cloud

# The calls of each situation, as counted when it was made. More of them are more cases; fewer are a part of
# the system that isn't tried any more: then say here why.
CALLS = {
    "a-batch-is-given-up": 100,
    "a-report-is-unsent": 18,
    "a-source-is-away": 28,
    "daily-increment": 15,
    "first-load": 15,
    "given-up-and-restated": 37,
    "restated-days": 15,
    "three-runs-in-flight": 70,
}
STORES = ("timestream", "dynamodb")
NIGHT = bool(os.environ.get("DAYBOOK_LONG"))
# By day: on one store, every fourth case of the situations that one run makes. By night: all of them, and of
# the situations in which calls are made again and again, every fifth. Each call fails in some way, and each
# way is that of some calls.
BY_DAY = ("daily-increment", "first-load", "restated-days")
MANY_CALLS = 35


@pytest.fixture(scope="module")
def cloud(request):
    with in_process(store=request.param) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def calls():
    """What is recorded in a situation; asked once a store."""
    known = {}

    def of(cloud, name):
        key = cloud.stack.exports["store"], name
        if key not in known:
            known[key] = faults.recorded(cloud, name)
        return known[key]

    return of


def chosen(situation, calls, night=NIGHT):
    every = (5 if CALLS[situation] > MANY_CALLS else 1) if night else 4
    cases = [
        (place + number, Case(situation, call, nth, way))
        for place, (call, nth) in enumerate(calls)
        for number, way in enumerate(WAYS)
    ]
    return [case for place, case in cases if place % every == 0]


def played(store, situation, *way):
    """A test's parameters. Each situation is played in one process a store, whichever of them."""
    marks = [pytest.mark.xdist_group(f"matrix {store}")]
    marks += [] if store == "timestream" and situation in BY_DAY else [pytest.mark.long]
    return pytest.param(store, situation, *way, marks=marks, id="-".join((store, situation, *way)))


@pytest.mark.parametrize(
    ("cloud", "situation"), [played(*each) for each in product(STORES, SITUATIONS)], indirect=["cloud"]
)
def test_no_call_goes_untried_and_every_handler_of_a_situation_is_among_them(cloud, calls, situation):
    found = calls(cloud, situation)
    print(f"{situation}: {len(found)} calls, {len(found) * len(WAYS)} cases in the long run")
    assert len(found) >= CALLS[situation]
    assert {"fetcher", "consumer"} <= {call.handler for call, _ in found}
    tells = situation in ("a-batch-is-given-up", "a-source-is-away")
    assert ("reporter" in {call.handler for call, _ in found}) == tells


def test_each_situation_is_counted():
    assert CALLS.keys() == SITUATIONS.keys()


@pytest.mark.parametrize(
    ("cloud", "situation", "way"),
    [played(*each) for each in product(STORES, SITUATIONS, WAYS)],
    indirect=["cloud"],
)
def test_whatever_fails_once_it_is_over_one_run_makes_good(cloud, calls, situation, way):
    broken = []
    cases = [case for case in chosen(situation, calls(cloud, situation)) if case.way == way]
    with reliability.counted(f"calls: {way}", len(cases)) as count:
        for case in cases:
            if problems := faults.problems(cloud, case):
                broken.append("\n  ".join([str(case), *problems]))
                count["broken"] += 1
    assert not broken, "\n".join([f"{len(broken)} of {len(cases)} cases:", *broken])
