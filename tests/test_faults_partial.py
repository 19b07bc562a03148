"""What is answered in part, delivered damaged, or to two at once (tests/partial.py)."""

import partial
import pytest
import reliability
from partial import PARTIAL

from local.in_process import in_process

pytestmark = pytest.mark.cloud

KNOWN = ("a consumer wakes late at the log", "a consumer wakes late at the log, and dies")


def cases(names):
    return [
        pytest.param(store, name, marks=pytest.mark.xdist_group(f"partial {store}"), id=f"{store}-{name}")
        for store in ("timestream", "dynamodb")
        for name in names
        if store in PARTIAL[name].stores
    ]


@pytest.fixture(scope="module")
def cloud(request):
    with in_process(store=request.param) as cloud:
        yield cloud


@pytest.mark.parametrize(
    ("cloud", "name"), cases([name for name in PARTIAL if name not in KNOWN]), indirect=["cloud"]
)
def test_what_is_good_only_in_part_loses_and_doubles_nothing(cloud, name):
    with reliability.counted("answers that are good in part"), partial.shards_as_they_were():
        problems = partial.problems(cloud, PARTIAL[name])
        assert problems == [], "\n".join(problems)


@pytest.mark.parametrize(("cloud", "name"), cases(KNOWN), indirect=["cloud"])
def test_of_an_entry_that_a_completed_run_gets_later_only_the_report_is_lacking(cloud, name):
    """docs/reliability.md, known limits."""
    problems = partial.problems(cloud, PARTIAL[name])
    assert [problem for problem in problems if not problem.startswith("notices: the report")] == []
    assert problems
