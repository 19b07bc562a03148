"""What is damaged is a finding, not a traceback; and everything else is read all the same."""

import contextlib
import datetime as dt
import gzip
import hashlib
import io

import pytest
from botocore.exceptions import ClientError
from builders import date, event, jhu, nyt

from ops.invariants import files
from schemas.event import encode
from storage.archive import log_name
from storage.raw import read_ledger
from storage.raw_archive import read_archive
from storage.raw_tables import read_rows

EVENTS = [event(1, 10), event(2, 20)]
LINES = [encode(one) for one in EVENTS]
NAME = log_name(EVENTS)


class Bucket:
    """S3 with these objects; of one in ``gone`` only the name is left."""

    def __init__(self, objects, gone=()):
        self.objects, self.gone = objects, gone

    def get_paginator(self, _operation):
        return self

    def paginate(self, **_):
        names = [*self.objects, *self.gone]
        return [{"Contents": [{"Key": name} for name in names]}, {}]

    def get_object(self, Bucket, Key):  # noqa: N803
        if Key in self.gone:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[Key])}


def read(objects, gone=(), parse=None):
    counting = contextlib.nullcontext(lambda _: None)
    return read_archive(Bucket(objects, gone), "bucket", parse, lambda *_: counting)


def file(source, text):
    return f"sources/{source}/{hashlib.sha256(text).hexdigest()}.csv.gz"


def broken(archive):
    return [finding.what for finding in archive.findings if finding.broken]


def test_the_log_is_read_as_it_was_written():
    archive = read({NAME: b"\n".join(LINES) + b"\n"})
    assert [found.id for found in archive.log] == [one.id for one in EVENTS]
    assert archive.log[0].values == {"cases": 10, "deaths": 0, "recovered": 0}
    assert archive.findings == ()


@pytest.mark.parametrize(
    ("body", "problem", "count"),
    [
        (b"", "holds no events", 0),
        (LINES[0] + b"\n", "holds other events than its name says (1 of them)", 1),
        (b"\n".join([*LINES, LINES[0]]), "holds other events than its name says (3 of them)", 3),
        (LINES[0] + b"\n" + LINES[1][:40], "is damaged: line 2 is no event: ", 1),
        (LINES[0] + b"\n\xff\xfe\n" + LINES[1], "is damaged: line 2 is no event: ", 2),
        (b"\n".join(LINES).replace(b'"cases":20', b'"cases":-1'), "is damaged: line 2 is no event: ", 1),
    ],
    ids=["empty", "a line is missing", "a line more", "cut off", "bytes between", "another value"],
)
def test_a_damaged_object_of_the_log_is_named_and_the_rest_of_it_read(body, problem, count):
    archive = read({NAME: body})
    assert len(archive.log) == count
    (found,) = broken(archive)
    assert found.startswith(f"{NAME} {problem}")


def test_an_object_that_is_listed_and_gone_is_a_finding():
    name = file("nyt", b"x")
    assert broken(read({}, [NAME, name])) == [
        f"{NAME} can't be read: it is listed, and not there",
        f"{name} can't be read: it is listed, and not there",
    ]


def test_a_folder_or_a_strange_name_is_a_note():
    strange = ["events/", "sources/", "rejected/", "events/copy.jsonl", "notes.txt"]
    archive = read(dict.fromkeys(strange, b"") | {"rejected/123": b"?", "reasons/r.jsonl": b""})
    assert broken(archive) == []
    assert [finding.what.partition(" ")[0] for finding in archive.findings] == strange
    assert archive.rejected == ("123",)


def test_a_file_is_there_only_if_it_is_whole():
    good, other = nyt("2020-03-01,1,0"), nyt("2020-03-01,2,0")
    objects = {
        file("nyt", good): gzip.compress(good),
        file("nyt", other): gzip.compress(good),
        file("jhu", other): gzip.compress(other)[:20],
        file("jhu", good): b"no gzip",
    }
    archive = read(objects)
    assert [*archive.files] == [f"nyt/{hashlib.sha256(good).hexdigest()}"]
    assert [found.partition(".gz ")[2][:24] for found in broken(archive)] == [
        "holds another file than ",
        "is damaged: it can't be ",
        "is damaged: it can't be ",
    ]


def test_a_refused_file_that_says_nothing_readable_is_no_finding():
    text = b"<html>"
    archive = read({file("nyt", text): gzip.compress(text)}, parse=files.parse)
    assert archive.findings == ()
    assert [*archive.files.values()] == [{}]


def test_the_tiny_reader_takes_recoveries_that_were_taken_back_for_not_reported():
    text = jhu("2020-03-01,0", "2020-03-03,0", "2020-03-02,7", "2020-03-04,")
    recovered = [said["recovered"] for said in files.parse("jhu", text).values()]
    assert recovered == [0, 7, None, None]
    both = {"nyt": nyt("2020-03-01,5,1", "2020-03-09,6,1"), "jhu": text}
    (day,) = (files.published(both, date(9)) or {}).items()
    assert day == (date(1), {**day[1], "cases": 5, "deaths": 1, "recovered": 0})
    assert files.published(both, date(8)) is None
    assert files.published(both | {"nyt": b"<html>"}, date(9)) is None


DAY = {
    "series": "US",
    "entry": "day#2020-03-01",
    "cases": 1,
    "deaths": 0,
    "digest": "d",
    "version": 5,
    "seen": 5,
    "entries": 1,
    "event": "e",
    "run": "r",
    "acknowledged_at": "2020-03-10T12:00:00.000Z",
}
RUN = {
    "series": "US",
    "entry": "run#2020-03-10T12:00:00.000Z#r",
    "time": "2020-03-10T12:00:00.000Z",
    "request": "r",
    "state": "open",
    "pending": ["2020-03-01..2020-03-03", "2020-03-05"],
}


def test_a_run_without_sets_and_a_day_without_recoveries_are_read():
    kept = read_ledger([DAY, RUN, {"series": "US", "entry": "of a newer version"}])
    assert kept.findings == ()
    assert kept.days[date(1)].values == {"cases": 1, "deaths": 0, "recovered": None}
    (run,) = kept.runs.values()
    assert sorted(run.pending) == [date(1), date(2), date(3), date(5)]
    assert run.entered == frozenset()


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        ({name: value for name, value in DAY.items() if name != "cases"}, "it has no cases"),
        (DAY | {"version": "5"}, "version is '5', no whole number"),
        (DAY | {"cases": 1.5}, "cases is 1.5, no whole number"),
        (DAY | {"entry": "day#2020-13-01"}, "month must be in 1..12"),
        (RUN | {"pending": ["2020-03-01..x"]}, "Invalid isoformat string: 'x'"),
        (RUN | {"request": "other"}, "it says that it is 2020-03-10T12:00:00.000Z#other"),
        ({"series": "US", "entry": "head", "stamp": "1"}, "stamp is '1', no whole number"),
        ({"series": "US", "entry": "notice#x"}, "it has no topic"),
        ({"series": "US", "entry": "accept#x"}, "not enough values to unpack (expected 3, got 2)"),
    ],
)
def test_an_item_that_cant_be_read_is_named(item, problem):
    (found,) = read_ledger([item]).findings
    assert found.what.startswith(f"{item['entry']} can't be read: ")
    assert problem.partition(" must be")[0] in found.what


def test_an_item_of_another_series_is_a_finding():
    assert [found.what for found in read_ledger([DAY | {"series": "DE"}]).findings] == [
        "day#2020-03-01 is of the series DE"
    ]


class Timestream:
    """A query's answer: these rows, on two pages of which the first one is empty."""

    def __init__(self, *rows):
        self.rows = rows

    def query(self, QueryString, NextToken=None):  # noqa: N803
        names = [*self.rows[0]]
        rows = [
            {"Data": [{"ScalarValue": v} if v else {"NullValue": True} for v in row.values()]}
            for row in self.rows
        ]
        page = {"ColumnInfo": [{"Name": name} for name in names], "Rows": rows if NextToken else []}
        return page if NextToken else page | {"NextToken": "more"}


ROW = {
    "region": "US",
    "time": "2020-03-01 00:00:00.000000000",
    "cases": "1",
    "deaths": "0",
    "recovered": "7",
    "recovered_reported": "false",
    "event_id": "e",
    "recorded_at": "2020-03-10 12:00:00.000000000",
}


def of_timestream(*rows):
    return read_rows(lambda _: Timestream(*rows), {"store": "timestream", "database": "d"}, "daily", "t")


def test_a_figure_that_is_not_reported_is_none_whatever_its_measure_says():
    (row,), findings = of_timestream(ROW)
    assert (row.date, row.values, findings) == (date(1), {"cases": 1, "deaths": 0, "recovered": None}, [])
    assert row.version == dt.datetime(2020, 3, 10, 12, tzinfo=dt.UTC).timestamp() * 1000


@pytest.mark.parametrize(
    "damage",
    [
        {"region": "DE"},
        {"time": "2020-03-01 01:00:00.000000000"},
        {"cases": None},
        {"recovered_reported": None},
        {"recorded_at": "x"},
        {"event_id": None},
    ],
)
def test_a_row_of_timestream_that_is_not_as_it_should_be_is_a_finding(damage):
    rows, findings = of_timestream(ROW, ROW | damage)
    assert (len(rows), [finding.place for finding in findings]) == (1, ["daily"])
