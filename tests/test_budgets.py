"""How many AWS calls a run may make: each of them costs, and may fail."""

import pytest

from benchmarks import loading

pytestmark = pytest.mark.cloud


def test_the_first_load_a_day_without_news_and_a_usual_day_stay_within_their_calls():
    calls = [figure for figure in loading.figures() if figure.unit == "calls"]
    assert [figure.name for figure in calls if not figure.met] == []
    assert [figure.goal for figure in calls] == [60, 6, 16]
