"""Sources that are too much: too long, too wide, of too many rows, packed too small. Each has its outcome."""

import gzip
import random
from collections.abc import Callable
from dataclasses import dataclass

from misbehaving import Answer, Connection, answer
from source_faults import (
    FILES,
    GOOD,
    JHU_HEADER,
    MALFORMED,
    NYT_HEADER,
    TAKEN,
    UNAVAILABLE,
    others,
    text,
)

CAP = 50_000_000  # bytes, as deployed
LARGE = 49_000_000  # bytes: not more than may be
TOO_LONG = "is longer than 50,000,000 bytes"
TOO_MANY = "has more than 40,000 rows for the U.S."
LINE_TOO_LONG = "is longer than 100,000 bytes"
PART = b"2020-03-01,10,1\n" * 4096


@dataclass(frozen=True)
class Large:
    """``answers`` are made when they are needed: together they would be a gigabyte."""

    answers: Callable[[], dict[str, list[Answer]]]
    outcome: str
    told: str = ""


def large(outcome: str, told: str = "", **files: Callable[[], bytes]) -> Large:
    return Large(lambda: {source: [answer(made())] for source, made in files.items()}, outcome, told)


def of_nyt(*replies: Answer) -> Callable[[], dict[str, list[Answer]]]:
    return lambda: {"nyt": list(replies)}


def half_a_gigabyte(head: bytes, part: bytes) -> Callable[[Connection], None]:
    def reply(connection: Connection) -> None:
        connection.wfile.write(head)
        for _ in range(500_000_000 // len(PART)):
            connection.wfile.write(part)

    return reply


def filled(start: bytes, line: bytes, size: int = LARGE) -> bytes:
    return start + line * ((size - len(start)) // len(line))


def more_countries(line: str) -> bytes:
    """The good file, and such lines behind it."""
    return filled(FILES["jhu"], f"{line}\n".encode())


def wide() -> bytes:
    names = "".join(f",column {number}" for number in range(200_000))
    return text(
        [line + (names if "date" in line else "," * 200_000) for line in FILES["nyt"].decode().splitlines()]
    )


def padded() -> bytes:
    """Each row again and again, with a column that nobody reads, as long as a line may be."""
    pad = "," + "x" * 99_000
    rows = [f"{day},{found.cases},{found.deaths}{pad}" for day, found in GOOD.items()]
    return text([NYT_HEADER + ",notes", *rows * (LARGE // len(rows) // 99_100)])


def bomb() -> bytes:
    """500 MB of zeros in half a megabyte."""
    return gzip.compress(bytes(5_000_000), mtime=0) * 100


HEAD = b"HTTP/1.1 200 OK\r\n"
LARGE_FAULTS: dict[str, Large] = {
    "a body of 500 MB": Large(
        of_nyt(half_a_gigabyte(HEAD + b"Content-Length: 500000000\r\n\r\n", PART)), UNAVAILABLE, TOO_LONG
    ),
    "500 MB in chunks": Large(
        of_nyt(
            half_a_gigabyte(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n%b\r\n" % (len(PART), PART))
        ),
        UNAVAILABLE,
        TOO_LONG,
    ),
    "an error page of 500 MB before the file": Large(
        of_nyt(
            half_a_gigabyte(b"HTTP/1.1 503 No\r\nContent-Length: 500000000\r\n\r\n", PART),
            answer(FILES["nyt"]),
        ),
        TAKEN,
    ),
    "a gzip bomb of 500 MB": Large(
        lambda: {"nyt": [answer(bomb(), Content_Encoding="gzip")]}, MALFORMED, "is not text"
    ),
    "200,000 columns": large(MALFORMED, LINE_TOO_LONG, nyt=wide),
    "a header of 49 MB": large(MALFORMED, LINE_TOO_LONG, jhu=lambda: filled(JHU_HEADER.encode(), b",Again")),
    "49 MB without a line": large(MALFORMED, LINE_TOO_LONG, jhu=lambda: FILES["jhu"] + b"US" * (LARGE // 2)),
    "a million rows of the U.S.": large(
        MALFORMED,
        TOO_MANY,
        nyt=lambda: filled(FILES["nyt"], f"{list(GOOD)[-1]},161000,3220\n".encode(), 27_000_000),
    ),
    "millions of rows that are all wrong": large(
        MALFORMED, TOO_MANY, nyt=lambda: filled(f"{NYT_HEADER}\n".encode(), b"x,y,z\n")
    ),
    "millions of rows of the U.S. that are all wrong": large(
        MALFORMED, TOO_MANY, jhu=lambda: filled(f"{JHU_HEADER}\n".encode(), b"x,US,y,z,\n")
    ),
    "as many rows as may be, each wrong in every cell": large(
        MALFORMED, "is not a date", nyt=lambda: text([NYT_HEADER, *["x" * 999 + ",y,z"] * 40_000])
    ),
    "49 MB of blank lines": large(
        MALFORMED, TOO_MANY, nyt=lambda: filled(b"date,cases,deaths\n", b"\n") + b"1,2,3"
    ),
    "a million rows of other countries": large(
        TAKEN, jhu=lambda: FILES["jhu"] + text(others(GOOD, "Utopia") * 25_000)
    ),
    "a quarter of a million rows of a country that has the name in its own": large(
        TAKEN, jhu=lambda: FILES["jhu"] + text(others(GOOD, "AUSTRIA") * 6_250)
    ),
    "49 MB, and characters of four bytes among them": large(
        TAKEN, jhu=lambda: more_countries("2020-03-01,🌍,7,0,1")
    ),
    "49 MB of lines as long as they may be": large(TAKEN, nyt=padded),
    "49 MB each": large(TAKEN, nyt=padded, jhu=lambda: more_countries("2020-03-01,Utopia,7,0,1")),
    "20 MB of noise": large(MALFORMED, "is not text", nyt=lambda: random.Random(1).randbytes(20_000_000)),
}
