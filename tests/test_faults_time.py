"""Late files, missed days, midnight, clocks and calendars (tests/scenarios_time.py)."""

import pytest
import reliability
import scenarios
from in_process import in_process
from scenarios_time import LONG, TIME

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("time")]


@pytest.fixture(scope="module")
def daybook():
    with in_process() as found:
        yield found


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] if name in LONG else []) for name in TIME]
)
def test_whatever_happens_to_time_each_day_is_entered_once_and_none_is_lost(daybook, name):
    with reliability.counted("time"):
        scenarios.survived(daybook, TIME[name])


def test_there_are_no_fewer_scenarios_than_there_were():
    assert len(TIME) >= 30
