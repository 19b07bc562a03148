"""Lives of the whole system, told at random, each ending as its model says (tests/model.py)."""

import pytest
import reliability
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from in_process import in_process
from model import Model

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("model")]

COMMON = settings(
    deadline=None,
    database=None,  # what it found belongs into a test with a name
    print_blob=True,
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much),
)
SHORT = settings(COMMON, derandomize=True, max_examples=14, stateful_step_count=14)
LONG = settings(COMMON, max_examples=250, stateful_step_count=30)


@pytest.fixture(scope="module")
def daybook():
    with in_process() as found:
        yield found


def lives(daybook, chosen):
    with reliability.counted("lives of the system", chosen.max_examples):
        run_state_machine_as_test(lambda: Model(daybook), settings=chosen)  # type: ignore[arg-type]


def test_whatever_happens_in_whichever_order_the_table_ends_as_the_model(daybook):
    lives(daybook, SHORT)


@pytest.mark.long
def test_hundreds_of_long_lives_end_as_the_model_too(daybook):
    lives(daybook, LONG)
