"""What is answered in part, or delivered twice, late, damaged or to two at once (tests/scenarios.py)."""

import pytest
import reliability
import scenarios
from in_process import in_process
from scenarios import DELIVERY, PARTIAL

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("delivery")]


@pytest.fixture(scope="module")
def daybook():
    with in_process() as found:
        yield found


@pytest.mark.parametrize("name", PARTIAL)
def test_an_answer_that_is_good_only_in_part_loses_and_doubles_nothing(daybook, name):
    with reliability.counted("answers that are good in part"):
        scenarios.survived(daybook, PARTIAL[name])


@pytest.mark.parametrize("name", DELIVERY)
def test_however_records_are_delivered_nothing_is_lost_or_doubled(daybook, name):
    with reliability.counted("delivery"):
        copies, reasons = name in scenarios.COPIES, name not in scenarios.UNREASONED
        scenarios.survived(daybook, DELIVERY[name], copies, reasons)


def test_there_are_no_fewer_scenarios_than_there_were():
    assert len(PARTIAL) >= 33
    assert len(DELIVERY) >= 40
