"""The harness bites: each planted bug (tests/planted.py) is found by the scenario that is to find it."""

import partial
import planted
import pytest
import reliability
from partial import PARTIAL, SCENARIOS
from planted import BUGS, Bug, instead

from local.in_process import in_process
from local.scenario import play, scenario

pytestmark = [pytest.mark.cloud]

# Only there is what the bug changes.
OF_TIMESTREAM = {"no row in Timestream's revisions", "a row that a table refuses is acknowledged"}
CASES = [
    pytest.param(store, name, marks=pytest.mark.xdist_group(f"planted {store}"), id=name)
    for name in BUGS
    for store in ["timestream" if name in OF_TIMESTREAM else "dynamodb"]
]


@pytest.fixture(scope="module")
def cloud(request):
    with in_process(store=request.param) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def without():
    """What is found without any bug, by scenario; looked for once."""
    return {}


def problems(cloud, name):
    if name in PARTIAL:
        with partial.shards_as_they_were():
            return set(partial.problems(cloud, PARTIAL[name]))
    return set(play(cloud, scenario(SCENARIOS / f"{name}.yaml")).problems)


@pytest.mark.parametrize(("cloud", "name"), CASES, indirect=["cloud"])
def test_a_planted_bug_is_found(cloud, without, name):
    bug = BUGS[name]
    if bug.found not in without:
        without[bug.found] = problems(cloud, bug.found)
    with reliability.counted("planted bugs, found"):
        with planted.planted(bug):
            after = problems(cloud, bug.found)
        assert after - without[bug.found], f"{bug.found} finds nothing"


def test_a_bug_in_what_is_not_there_any_more_fails():
    stale = Bug("functions.diff:diff", instead("what_is_not_there", "None"), "")
    with pytest.raises(AssertionError, match="is there 0 times"), planted.planted(stale):
        pass


def test_there_are_no_fewer_bugs_than_there_were():
    assert len(BUGS) >= 45
