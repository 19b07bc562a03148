"""Lives of the whole system, told at random, each ending as its model says (tests/model.py)."""

import pytest
import reliability
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from model import Model

from local.in_process import in_process

pytestmark = pytest.mark.cloud

STORES = [
    pytest.param(store, marks=pytest.mark.xdist_group(f"model {store}"), id=store)
    for store in ("timestream", "dynamodb")
]

COMMON = settings(
    deadline=None,
    database=None,  # what it found belongs into a test with a name
    print_blob=True,
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much),
)
SHORT = settings(COMMON, derandomize=True, max_examples=10, stateful_step_count=16)
LONG = settings(COMMON, max_examples=125, stateful_step_count=30)


@pytest.fixture(scope="module", params=STORES)
def cloud(request):
    with in_process(store=request.param) as cloud:
        yield cloud


def lives(cloud, chosen):
    with reliability.counted("lives of the system", chosen.max_examples):
        run_state_machine_as_test(lambda: Model(cloud), settings=chosen)  # type: ignore[arg-type]


def test_whatever_happens_in_whichever_order_the_table_ends_as_the_model(cloud):
    lives(cloud, SHORT)


@pytest.mark.long
def test_hundreds_of_long_lives_end_as_the_model_too(cloud):
    lives(cloud, LONG)
