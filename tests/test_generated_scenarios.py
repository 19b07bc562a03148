"""Scenarios made at random (tests/generated.py), played as any other: the invariants are what must hold.

One that fails is shortened by hypothesis and written to .daybook/failing/, to be played again with
``python -m local scenario``. DAYBOOK_SCENARIOS says how many a store, DAYBOOK_SEED which.
"""

import hashlib
import os
import time
from pathlib import Path

import generated
import pytest
import reliability
from hypothesis import HealthCheck, Phase, given, seed, settings
from pairs import Pairs

from local.in_process import in_process
from local.scenario import play, scenario

pytestmark = pytest.mark.cloud

FAILING = Path(__file__).resolve().parent.parent / ".daybook" / "failing"
SEED = int(os.environ.get("DAYBOOK_SEED", "20200301"))
EXAMPLES = int(os.environ.get("DAYBOOK_SCENARIOS", "300" if os.environ.get("DAYBOOK_LONG") else "20"))
SHORTENING_SECONDS = 90  # then the shortest so far is told; hypothesis itself would go on for five minutes
STORES = [
    pytest.param(store, marks=pytest.mark.xdist_group(f"generated on {store}"), id=store)
    for store in ("timestream", "dynamodb")
]


class Player:
    """A store's cloud, the pairs of steps that were played, and the last scenario that failed on it."""

    def __init__(self, cloud, store, folder):
        self.cloud, self.store = cloud, store
        self.pairs = Pairs(store, SEED)
        self._file = folder / "scenario.yaml"
        self._failing = None
        self._told = {}  # by the text of each scenario that failed
        self._until = 0.0

    def play(self, plan):
        document, kinds = generated.document(plan)
        text = generated.text(document)
        if self._failing is None:
            self.pairs.count(kinds)
        if not self._told or time.monotonic() < self._until:
            self._try(text)
        if text in self._told:
            raise AssertionError(self._told[text])

    def _try(self, text):
        self._file.write_text(text)
        if problems := play(self.cloud, scenario(self._file)).problems:
            self._until = self._until or time.monotonic() + SHORTENING_SECONDS
            path = self._keep(text, problems)
            self._told[text] = "\n".join([f"python -m local scenario {path}", *problems])

    def _keep(self, text, problems):
        """The file of a scenario that fails, in the place of the longer one before it."""
        if self._failing:
            self._failing.unlink(missing_ok=True)
        told = [f"#   {line}" for problem in problems for line in problem.splitlines()]
        name = hashlib.sha256(text.encode()).hexdigest()[:12]
        self._failing = FAILING / f"{name}.yaml"
        FAILING.mkdir(parents=True, exist_ok=True)
        self._failing.write_text("\n".join([f"# On {self.store} this breaks:", *told, text]))
        return os.path.relpath(self._failing)


@pytest.mark.parametrize("store", STORES)
def test_whatever_happens_the_invariants_hold(store, tmp_path):
    with in_process(store=store) as cloud, reliability.counted("scenarios at random", EXAMPLES):
        player = Player(cloud, store, tmp_path)

        @seed(SEED)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,  # what it found belongs into tests/scenarios, with a name
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=(
                HealthCheck.too_slow,
                HealthCheck.data_too_large,
                HealthCheck.filter_too_much,
            ),
            report_multiple_bugs=False,
        )
        @given(generated.plans)
        def examples(plan):
            player.play(plan)

        try:
            examples()
        finally:
            player.pairs.keep()
