"""A run's time and arrival are the request's and the ledger's: the trace header means nothing to it."""

import pytest
from in_process import in_process
from system import START

from local.in_process import runtime
from schemas.ledger import COMPLETED

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("trace header")]


@pytest.fixture(scope="module")
def daybook():
    with in_process() as found:
        yield found


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("", id="none"),
        pytest.param("Root=1-00000001-0123456789abcdef01234567;Sampled=0", id="a caller's own, of 1970"),
        pytest.param("Root=1-ffffffff-0123456789abcdef01234567", id="a caller's own, of 2106"),
        pytest.param("not a trace header", id="no header"),
    ],
)
def test_a_run_without_a_trace_header_or_with_a_caller_s_own_is_no_error(daybook, monkeypatch, header):
    monkeypatch.setattr(runtime, "trace_id", lambda *_: header)
    daybook.cloud.again()
    daybook.moment = START
    daybook.publish({"2020-03-01": 10})
    found = daybook.run()
    assert (found.state, found.time, found.arrived) == (COMPLETED, START, START)
    assert daybook.told("alerts") == []
    daybook.agrees()
