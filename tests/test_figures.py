"""The declaration of the figures, and what follows from its order."""

import pytest

from schemas.figures import FIGURES, JHU, NYT, SOURCES, Counts
from schemas.published import CasesRow, RecoveriesRow


def test_each_figure_is_a_field_of_its_source_s_published_row():
    rows = {NYT: CasesRow, JHU: RecoveriesRow}
    published = {(source, name) for source in SOURCES for name in rows[source]._fields[1:]}
    assert {(figure.source, figure.name) for figure in FIGURES} == published


def test_a_figure_that_came_later_may_be_unreported():
    assert [figure.name for figure in FIGURES if figure.is_later and not figure.nullable] == []


def test_recoveries_may_be_unreported_and_a_measure_of_their_own_says_so():
    reported = {figure.name: figure.reported for figure in FIGURES if figure.nullable}
    assert reported["recovered"] == "recovered_reported"
    assert not reported.keys() & {"cases", "deaths"}


# The ids of every event that was ever logged hold these: they are the same for ever.
@pytest.mark.parametrize(
    ("counts", "digest"),
    [
        (Counts(1, 2, None), "b59e0e2bea08"),
        (Counts(0, 0, 0), "7c01691d53eb"),
        (Counts(1, 2, 3), "8a6ae1512200"),
        (Counts(19_588_502, 339_806, None), "cd29dcf01c3c"),
        (Counts(1_000_000_000, 1_000_000_000, 1_000_000_000), "f471d075b2b0"),
    ],
)
def test_a_digest_is_what_it_always_was(counts, digest):
    assert counts.digest == digest


def test_not_reported_and_zero_have_different_digests_and_an_absent_figure_is_not_reported():
    assert Counts(1, 2, None).digest != Counts(1, 2, 0).digest
    assert Counts.read({"cases": 1, "deaths": 2, "more": 3}) == Counts(1, 2, None)
    assert Counts(1, 2, None).carried == {"cases": 1, "deaths": 2, "recovered": None}
