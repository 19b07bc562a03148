"""What is said of sources that have ended."""

import datetime as dt

import pytest

from schemas.ended import ended, sentence
from schemas.ledger import SourceFile, Warning

NYT, JHU = dt.date(2023, 3, 23), dt.date(2022, 4, 16)


@pytest.mark.parametrize(
    ("sources", "text"),
    [
        ({}, ""),
        (
            {"nyt": NYT, "jhu": JHU},
            "The New York Times stopped publishing on 2023-03-23, Johns Hopkins on 2022-04-16: the record is "
            "complete and will not grow.",
        ),
        (
            {"jhu": JHU},
            "Johns Hopkins stopped publishing on 2022-04-16: without it the record does not grow.",
        ),
        ({"nyt": None}, "The New York Times stopped publishing: without it the record does not grow."),
    ],
)
def test_a_day_needs_both_sources_so_that_one_ends_the_record(sources, text):
    assert sentence(sources) == text


def test_the_warnings_say_which_have_ended_and_their_files_since_when():
    told = [Warning("ended/jhu", "it has ended"), Warning("gap/nyt/2020-01-21", "a gap")]
    files = [
        SourceFile(source, "0" * 64, 1, newest, dt.datetime(2026, 11, 27, tzinfo=dt.UTC))
        for source, newest in (
            ("nyt", NYT),
            ("jhu", JHU),
        )
    ]
    assert ended(told, files) == {"jhu": JHU}
    assert ended(told, ()) == {"jhu": None}
