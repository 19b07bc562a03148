"""docs/scale.md: its table is the program's, and what it predicts is what the simulation shows."""

from pathlib import Path

import pytest

from benchmarks import quotas, scale

DOC = Path(__file__).resolve().parent.parent / "docs" / "scale.md"


def test_the_table_in_the_document_is_what_the_program_computes():
    said = DOC.read_text().partition(scale.BEGIN)[2].partition(scale.END)[0].strip()
    assert said == scale.table(), "write it again: python -m benchmarks.scale --write"


@pytest.mark.parametrize(
    ("regions", "shards"),
    [(1, 1), (50, 1), (2_000, 1), pytest.param(8_000, 4, marks=pytest.mark.cloud)],
)
def test_writer_and_mapping_need_the_time_that_the_quotas_predict(regions, shards):
    written, entered = quotas.simulated(regions, shards)  # on a virtual clock: the same on any machine
    assert entered == pytest.approx(quotas.predicted(regions, shards), rel=0.2)
    if regions > 50:
        assert written == pytest.approx(quotas.writing(regions, shards), rel=0.3)


@pytest.mark.cloud
def test_more_shards_take_less_time_and_more_regions_more():
    times = [quotas.simulated(regions, shards)[1] for regions, shards in ((200, 1), (2_000, 4), (2_000, 1))]
    assert times == sorted(times)
