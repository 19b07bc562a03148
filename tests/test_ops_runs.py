"""`daybook run` and `accept`: what an operator sets going, each on a stack of its own."""

import datetime as dt
import hashlib

import pytest
from system import system
from test_ops_commands import CASES, Operated

from local.up import reachable

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("ops")]


@pytest.fixture
def asked_for(tmp_path):
    """One run: seven days, nothing pending."""
    with system() as daybook, reachable(daybook.cloud, tmp_path) as asked:
        daybook.publish(CASES | {"2020-03-06": 60, "2020-03-07": 70})
        daybook.run()
        yield Operated(daybook, tmp_path, asked)


def test_a_run_is_asked_for_and_followed_to_its_report(asked_for):
    with asked_for.attended():
        code, out, told = asked_for.ops("run", "--wait", "--patience", "60")
    assert code == 0
    assert b"The sources published nothing new and restated nothing." in out
    assert "completed, 0 pending" in told
    assert asked_for.data("runs", "--limit", "1")[1][0]["trigger"] == "operator"


def test_a_rejected_figure_is_accepted_for_its_value_only_and_named_in_the_report(asked_for):
    published = dict(asked_for.daybook.publisher.files)
    files = asked_for.daybook.publisher.files
    files["nyt"] = published["nyt"] + b"\n2020-03-08,9000,0"
    files["jhu"] = published["jhu"] + b"2020-03-08,US,100,0,5\n"
    assert asked_for.ops("accept", "2020-03-08", "--reason", "x")[0] == 2  # nothing is rejected yet
    with asked_for.attended():
        assert asked_for.ops("run", "--wait", "--patience", "60")[0] == 4
        code, _, told = asked_for.ops("accept", "2020-03-05", "--reason", "x")
        assert (code, "Rejected: 2020-03-08" in told) == (2, True)
        code, found = asked_for.data("accept", "2020-03-08", "--reason", "confirmed by telephone")
        assert (code, found["still_rejected"]) == (0, [])
        (item,) = found["accepted"]
        digest = hashlib.sha256(b"9000,0,0").hexdigest()[:12]
        assert item["entry"] == f"accept#2020-03-08#{digest}"
        assert [(one.date, one.digest) for one in asked_for.cloud.ledger.acceptances()] == [
            (dt.date(2020, 3, 8), digest)
        ]
        assert asked_for.cloud.ledger.head().acceptances == 1
        files["nyt"] = files["nyt"].replace(b"9000", b"9001")
        assert asked_for.ops("run", "--wait", "--patience", "60")[0] == 4
        files["nyt"] = files["nyt"].replace(b"9001", b"9000")
        code, out, _ = asked_for.ops("run", "--wait", "--patience", "60")
    assert code == 0
    assert b"Taken on an operator's word:\n- nyt, row 9, 2020-03-08, cases" in out
    assert b'(accepted: "confirmed by telephone")' in out
    assert asked_for.daybook.daily()["2020-03-08"] == 9000
    assert asked_for.ops("verify")[0] == 0
