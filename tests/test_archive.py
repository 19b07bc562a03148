"""The archive, against the emulator: created once, never changed, read in the order of versions."""

import gzip
import json
from collections.abc import Iterator
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from builders import NOON, event, run
from services import Fake, Services, failing, refused

from local.aws.emulator import Emulator
from local.clock import Clock
from schemas.event import decode, encode
from schemas.ledger import Reason
from schemas.moment import version
from storage.archive import Archive, distinct, file_name, first_version, log_name, sha256
from storage.errors import Damaged, Unreachable

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("archive")]

V = version(NOON)


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    with Emulator(Clock.virtual(NOON)) as running:
        yield Services(running)


@pytest.fixture
def s3(services: Services) -> Any:
    return services.client("s3")


@pytest.fixture
def bucket(services: Services) -> str:
    return services.bucket()


@pytest.fixture
def archive(s3: Any, bucket: str) -> Archive:
    return Archive(s3, bucket)


def kept(archive: Archive) -> dict[str, bytes]:
    """The objects by name."""
    return {name: archive.read(name) for name in archive.names()}


@pytest.mark.parametrize(("conflicts", "fails"), [(2, False), (3, True)])
def test_two_who_create_an_object_at_once_are_told_so_and_try_again(conflicts, fails):
    calls = []

    def put_object(**asked):
        calls.append(asked["Key"])
        if len(calls) <= conflicts:
            raise ClientError({"Error": {"Code": "ConditionalRequestConflict"}}, "PutObject")

    client = SimpleNamespace(put_object=put_object)
    with pytest.raises(Unreachable) if fails else nullcontext():
        Archive(client, "bucket").keep_file("nyt", b"date,cases")
    assert len(calls) == 3


def test_a_file_comes_back_as_it_was_published_and_is_kept_once(archive):
    payload = b"\xef\xbb\xbfdate,cases\r\n\x00\xff" * 1_000
    archive.keep_file("nyt", payload)
    archive.keep_file("nyt", payload)
    assert archive.file("nyt", sha256(payload)) == payload
    ((name, packed),) = kept(archive).items()
    assert name == file_name("nyt", sha256(payload)) == f"sources/nyt/{sha256(payload)}.csv.gz"
    assert len(packed) < len(payload)
    assert packed[4:8] == bytes(4)  # no time of packing: the same file is the same object
    assert gzip.decompress(packed) == payload


def test_an_empty_file_is_kept_too(archive):
    archive.keep_file("jhu", b"")
    assert archive.file("jhu", sha256(b"")) == b""


def test_an_object_is_created_once_and_never_changed(archive):
    archive.keep_rejected("4959", b"first")
    archive.keep_rejected("4959", b"second")
    assert kept(archive) == {"rejected/4959": b"first"}


def test_events_are_kept_as_lines_under_their_first_version_and_a_hash_of_all_ids(archive):
    found = [event(1, 10, V), event(2, 20, V)]
    archive.keep_events(found)
    archive.keep_events(found)
    archive.keep_events(found[:1])
    objects = kept(archive)
    assert objects.keys() == {log_name(found), log_name(found[:1])}
    assert [decode(line) for line in objects[log_name(found)].splitlines()] == found
    assert objects[log_name(found[:1])] == encode(found[0]) + b"\n"
    assert {name.rpartition("-")[0] for name in objects} == {f"events/{V}"}


def test_the_log_is_read_by_its_first_versions_and_not_by_their_names_as_text(archive, s3, bucket):
    for each in (event(1, 1, 900), event(1, 2, 1_000), event(1, 3, 90)):
        archive.keep_events([each])
    s3.put_object(Bucket=bucket, Key="events/", Body=b"")  # a folder that a console made
    s3.put_object(Bucket=bucket, Key="events/notes.txt", Body=b"not ours")
    found = [[each.version for each in events] for events in archive.log()]
    assert found == [[90], [900], [1_000]]
    assert [first_version(name) for name in archive.log_names()] == [90, 900, 1_000]
    assert first_version("events/notes.txt") == 0


def test_the_logged_events_of_a_run_are_those_of_its_version_and_of_no_longer_one(archive):
    first, again, other = event(1, 1, 90), event(2, 2, 90), event(1, 3, 900)
    archive.keep_events([first])
    archive.keep_events([first, again])
    archive.keep_events([other])
    assert archive.events_of(90) == {first.id: first, again.id: again}
    assert archive.events_of(9) == {}


def test_repeated_events_are_one_and_come_by_version_and_date():
    a, b, c = event(2, 1, 5), event(1, 1, 5), event(1, 2, 4)
    assert distinct([a, b, a, c]) == [c, b, a]


@pytest.mark.parametrize("body", [b"not an event\n", encode(event(1, 1, 5)) + b"\n{}\n", b"\xff\n"])
def test_a_log_that_can_t_be_decoded_is_damaged_and_says_where(archive, s3, bucket, body):
    name = f"events/5-{'0' * 16}.jsonl"
    s3.put_object(Bucket=bucket, Key=name, Body=body)
    with pytest.raises(Damaged, match=rf"{name}, line {body.count(b'{') // 3 + 1} is no event"):
        archive.events_in(name)


def test_all_reasons_of_a_refused_run_are_kept_one_a_line(archive):
    reasons = [Reason("nyt", "is empty", row, "2020-03-01", "cases", "") for row in range(2, 32)]
    archive.keep_reasons(run().name, reasons)
    ((name, lines),) = kept(archive).items()
    assert name == "reasons/2020-03-10T12:00:00.000Z#request-1.jsonl"
    assert [Reason(**json.loads(line)) for line in lines.splitlines()] == reasons


def test_every_page_of_names_is_read(archive, s3, bucket):
    for number in range(5):
        archive.keep_rejected(str(number), b"")

    def get_paginator(operation):
        pages = s3.get_paginator(operation)
        return SimpleNamespace(
            paginate=lambda **asked: pages.paginate(PaginationConfig={"PageSize": 2}, **asked)
        )

    paged = Archive(Fake(s3, get_paginator=get_paginator), bucket)
    assert paged.names("rejected/") == [f"rejected/{number}" for number in range(5)]


def test_a_bucket_that_is_not_there_is_no_kept_file(s3):
    with pytest.raises(Unreachable, match=r"archive.*NoSuchBucket"):
        Archive(s3, "nowhere").keep_file("nyt", b"")


@pytest.mark.parametrize(
    "error",
    [EndpointConnectionError(endpoint_url="x"), refused("SlowDown"), refused("NoSuchKey")],
    ids=["no answer", "throttled", "gone"],
)
def test_what_gives_no_answer_is_out_of_reach_and_never_empty(error):
    call = failing(error)
    paginator = SimpleNamespace(paginate=call)
    client = SimpleNamespace(put_object=call, get_object=call, get_paginator=lambda _: paginator)
    silent = Archive(client, "b")
    for ask in (
        lambda: silent.keep_rejected("1", b""),
        lambda: silent.file("nyt", "a"),
        silent.names,
        lambda: silent.events_of(5),
    ):
        with pytest.raises(Unreachable, match="archive"):
            ask()
