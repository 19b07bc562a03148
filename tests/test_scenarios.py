"""Every scenario of tests/scenarios, on each store that it is meant for."""

import re
from pathlib import Path

import pytest
import reliability

from local.in_process import in_process
from local.scenario import play, scenario

pytestmark = pytest.mark.cloud

FOLDER = Path(__file__).parent / "scenarios"
STORE = re.compile(r"^store: (\w+)", re.MULTILINE)


def cases(store: str) -> list[Path]:
    meant = {path: STORE.search(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yaml"))}
    return [path for path, said in meant.items() if said is None or said[1] in (store, "both")]


CASES = [
    pytest.param(
        store, path, marks=pytest.mark.xdist_group(f"scenarios on {store}"), id=f"{store}-{path.stem}"
    )
    for store in ("timestream", "dynamodb")
    for path in cases(store)
]


@pytest.fixture(scope="module")
def cloud(request):
    """One for all scenarios of a store."""
    with in_process(store=request.param) as cloud:
        yield cloud


@pytest.mark.parametrize(("cloud", "path"), CASES, indirect=["cloud"])
def test_a_scenario_ends_as_it_says(cloud, path):
    with reliability.counted("scenarios"):
        outcome = play(cloud, scenario(path))
        assert outcome.problems == [], "\n".join(outcome.problems)
        assert outcome.missed == [], "no such call was made"
