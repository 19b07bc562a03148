"""The harness bites: each planted bug (tests/planted.py) is found by the faults that should find it."""

import planted
import pytest
import reliability
from in_process import in_process
from planted import BUGS

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("planted")]


@pytest.fixture(scope="module")
def daybook():
    with in_process() as found:
        yield found


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found_and_without_it_nothing_is(daybook, name):
    bug = BUGS[name]
    with reliability.counted("planted bugs, found"):
        bug.found(daybook)
        with planted.planted(bug), pytest.raises(AssertionError):
            bug.found(daybook)


def test_a_patch_that_does_not_apply_any_more_fails():
    stale = planted.Bug((("functions.diff", "what is not there", ""),), lambda daybook: None)
    with pytest.raises(AssertionError, match="doesn't apply any more"), planted.planted(stale):
        pass


def test_there_are_no_fewer_bugs_than_there_were():
    assert len(BUGS) >= 20
