"""Published files by the thousand, each damaged somehow: what is believed is what a slow reader says as well.

What fails names its numbers, and a number always has the same files: ``disagreement(corpus, number)`` plays
one again.
"""

import datetime as dt
import random
from collections import Counter
from functools import cache
from typing import NamedTuple

import pytest
import reliability
import slow_reader
from mutations import DAMAGES, mutated

from functions.errors import SourceRefused
from functions.plausibility import check
from functions.remarks import remarks
from functions.transform import transform
from local.sources import history, sample
from schemas.figures import Counts
from schemas.ledger import Acknowledged

MOMENT = dt.datetime(2020, 12, 31, 12, tzinfo=dt.UTC)
TODAY = MOMENT.date()
LAYOUTS = ("jhu_countries_aggregated", "jhu_combined")
EACH = 20  # pairs of files of a layout
LEAST = 0.15  # of them are believed, and of them are not: else the damage is not what it should be


class Pair(NamedTuple):
    """Two files of some forty days, and what is acknowledged of them."""

    files: dict[str, bytes]
    acknowledged: dict[dt.date, Acknowledged]


def pairs(nyt, jhu, rng):
    """Files that were published at the same time, cut down to a few days and countries."""
    found = []
    for _ in range(EACH):
        place = rng.randrange(len(jhu.files))
        cases, recoveries = nyt.at(jhu.moments[place]) or nyt.files[0], jhu.files[place]
        header, *lines = recoveries.split(b"\n")
        us = [line for line in lines if b",US," in line]
        start = rng.choice((0, rng.randrange(len(us)), max(0, len(us) - 40)))
        dates = {line[:10] for line in us[start : start + rng.randint(20, 60)]}
        kept = [line for line in lines if line[:10] in dates and (b",US," in line or rng.random() < 0.1)]
        header_too, *rows = cases.split(b"\n")
        files = {
            "nyt": b"\n".join([header_too, *(line for line in rows if line[:10] in dates)]),
            "jhu": b"\n".join([header, *kept, b""]),
        }
        found.append(Pair(files, acknowledged(files, rng)))
    return found


def acknowledged(files, rng):
    """Most of what the files say, some of it otherwise; nothing where they can't be read."""
    try:
        days = slow_reader.days(files["nyt"], files["jhu"], TODAY)
    except slow_reader.Malformed:
        return {}
    found = {}
    for date, (cases, deaths, recovered) in list(days.items())[: -rng.randint(1, 10)]:
        counts = Counts(cases + rng.choice((0, 0, 0, 1, cases)), deaths, recovered)
        found[date] = Acknowledged(date, counts, 1, 1, 1, f"US/{date}", "r", MOMENT)
    return found


@cache
def synthetic():
    rng = random.Random(0)
    nyt, jhu = sample.histories()
    return pairs(nyt, jhu, rng) + pairs(nyt, jhu, rng)


@cache
def published(folder):
    rng = random.Random(0)
    nyt, *layouts = (history.read(folder / "published" / f"{name}.tar.xz") for name in ("nyt_us", *LAYOUTS))
    return [pair for jhu in layouts for pair in pairs(nyt, jhu, rng)]


@pytest.fixture(params=["synthetic", pytest.param("published", marks=pytest.mark.data)])
def corpus(request):
    """The sample, which every clone has, and the real files where they are."""
    return synthetic() if request.param == "synthetic" else published(request.getfixturevalue("data"))


def disagreement(corpus, number):
    """(whether the files of this number were believed, what is wrong with that); anything that is raised but
    our refusal is wrong."""
    pair = corpus[number % len(corpus)]
    files, damages = mutated(number, pair.files)
    try:
        slow, why = slow_reader.days(files["nyt"], files["jhu"], TODAY), "nothing"
    except slow_reader.Malformed as malformed:
        slow, why = None, str(malformed)
    try:
        found = transform(files, TODAY)
    except SourceRefused as refusal:
        said = str(refusal.reasons[0])
        return False, f"refused ({said}), and read slowly: {damages}" if slow is not None else None
    except Exception as error:  # whatever it is, it is wrong, and its number is needed
        return False, f"{error!r}: {damages}"
    quick = {day.date: (day.counts.cases, day.counts.deaths, day.counts.recovered) for day in found.days}
    try:
        reasons = check(found, pair.acknowledged, ())
        told = remarks(found, TODAY, list(pair.acknowledged)[:1])
    except Exception as error:
        return True, f"{error!r}: {damages}"
    assert all(map(str, reasons))
    assert all(warning.code and warning.text for warning in told)
    if slow is None:
        return True, f"believed, and read slowly it is malformed ({why}): {damages}"
    return True, None if quick == slow else f"{quick} and not {slow}: {damages}"


def play(corpus, numbers):
    outcomes, wrong = Counter(), []
    with reliability.counted("mutated files", len(numbers)) as count:
        for number in numbers:
            believed, problem = disagreement(corpus, number)
            outcomes[believed] += 1
            if problem:
                wrong.append(f"{number}: {problem}")
                count["broken"] += 1
    print(f"{outcomes[True]} believed, {outcomes[False]} refused")
    assert not wrong, "\n".join([f"{len(wrong)} of {len(numbers)}:", *wrong[:40]])
    assert min(outcomes[True], outcomes[False]) >= LEAST * len(numbers), outcomes


@pytest.mark.cloud
def test_a_thousand_mutated_files_are_believed_or_refused_as_a_slow_reader_does(corpus):
    play(corpus, range(1_000))


@pytest.mark.cloud
@pytest.mark.long
@pytest.mark.parametrize("block", range(9))
def test_ten_thousand_mutated_files_are_believed_or_refused_as_a_slow_reader_does(corpus, block):
    play(corpus, range((block + 1) * 1_000, (block + 2) * 1_000))


def test_the_same_number_is_always_the_same_damage_and_none_is_never_done():
    files = synthetic()[0].files
    assert mutated(7, files) == mutated(7, files)
    done = {name.rpartition(" in ")[0] for number in range(600) for name in mutated(number, files)[1]}
    assert done == DAMAGES.keys()


def test_the_slow_reader_knows_good_from_bad():
    nyt = b"date,cases,deaths\n2020-03-01,10,1\n2020-03-02,20,2\n2020-03-03,30,3"
    header = b"Date,Country,Confirmed,Recovered,Deaths\n"
    jhu = header + b"2020-03-01,US,9,0,1\r\n2020-03-02,US,9,4.0,1\n2020-03-03,US,9,0,1\n"
    first, second, third = (dt.date(2020, 3, day) for day in (1, 2, 3))
    assert slow_reader.days(nyt, jhu, TODAY) == {first: (10, 1, 0), second: (20, 2, 4), third: (30, 3, None)}
    for bad in (
        b"",
        nyt[:-5],
        nyt.replace(b"20,2", b"2_0,2"),
        nyt.replace(b",2\n", b",21\n"),
        nyt + b"\n\n1",
    ):
        with pytest.raises(slow_reader.Malformed):
            slow_reader.days(bad, jhu, TODAY)
    for bad in (
        header,
        jhu.replace(b"US", b"USA"),
        jhu + b'2020-03-04,"US',
        jhu.replace(b",0,1\n", b",-0,1\n"),
    ):
        with pytest.raises(slow_reader.Malformed):
            slow_reader.days(nyt, bad, TODAY)
