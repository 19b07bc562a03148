"""Published files, damaged as files get damaged: in bytes, lines, cells, columns.

The same number is always the same damage.
"""

import datetime as dt
import gzip
import random
from collections.abc import Callable

Table = list[list[str]]
TEXTS = (
    "", " ", "0", "-0", "-1", "+1", "1e3", "1_000", "1,000", "12.0", "12.", "12.5", ".0", "007", "NaN",
    "nan", "inf", "None", "null", "N/A", "-", "1000000000", "1000000001", "9" * 11, str(2**31),
    str(2**63), "0x10", "١٢", "１２", "²", "−5", "1 000", " 7", "7 ", "\t7", "7\r", "7\u00a0", "\ufeff7",
    "7\u200b", '"7"', '"7', '7"', '""', '"', '"a""b"', "US", "USA", "us", "US ", "=1+1", "<td>", "é", "🌍",
    "2020-03-01", "1969-12-31", "1970-01-01", "9999-12-31", "2020-13-01", "2020-02-30", "2020-2-3",
    "20200301", "2020-W10-1", "2020-060", "3/1/2020", "2020-03-01T00:00", "٢٠٢٠-03-01", "2020‐03‐01",
    "date", "Date", "\v", "\f", "\x1a", "\u2028", "\x85",
)  # fmt: skip
NAMES = (
    "date", "Date", "cases", "deaths", "Deaths", "Country", "Country/Region", "Recovered", "Confirmed",
    "", " date", "Province",
)  # fmt: skip
ENDS = ("\r\n", "\r", "\n\r", "\n\n", "\u2028", "\r\r\n", " \n", ";")

ByteDamage = Callable[[random.Random, bytes], bytes]
LineDamage = Callable[[random.Random, list[str]], list[str]]
CellDamage = Callable[[random.Random, Table], None]


def span(rng: random.Random, length: int, most: int = 40) -> slice:
    start = rng.randrange(length + 1)
    return slice(start, min(length, start + rng.randint(1, most)))


# Bytes


def flip_a_bit(rng: random.Random, file: bytes) -> bytes:
    place = rng.randrange(len(file))
    return file[:place] + bytes([file[place] ^ 1 << rng.randrange(8)]) + file[place + 1 :]


def change_a_byte(rng: random.Random, file: bytes) -> bytes:
    place = rng.randrange(len(file))
    return file[:place] + bytes([rng.choice((rng.randrange(256), *b'",\n\r0-.'))]) + file[place + 1 :]


def lose_some(rng: random.Random, file: bytes) -> bytes:
    gone = span(rng, len(file))
    return file[: gone.start] + file[gone.stop :]


def cut_the_end(rng: random.Random, file: bytes) -> bytes:
    return file[: rng.choice((rng.randrange(len(file)), len(file) - rng.randint(1, 60)))]


def cut_the_start(rng: random.Random, file: bytes) -> bytes:
    return file[rng.choice((rng.randrange(len(file)), rng.randint(1, 30))) :]


def repeat_some(rng: random.Random, file: bytes) -> bytes:
    again = span(rng, len(file), 400)
    return file[: again.stop] + file[again] + file[again.stop :]


def insert_bytes(rng: random.Random, file: bytes) -> bytes:
    place = rng.choice((0, rng.randrange(len(file)), len(file)))
    what = rng.choice(
        (
            b"\0",
            b"\xef\xbb\xbf",
            b"\xff",
            b'"',
            b"\n",
            b"\r",
            b",",
            b"\xc3\xa9",
            b"\xed\xa0\x80",
            b" ",
            rng.randbytes(3),
        )
    )
    return file[:place] + what + file[place:]


def other_encoding(rng: random.Random, file: bytes) -> bytes:
    coding = rng.choice(("utf-16", "utf-32", "utf-8-sig", "utf-7", "cp500"))
    return file.decode(errors="replace").encode(coding, "replace")


def packed(rng: random.Random, file: bytes) -> bytes:
    return rng.choice((gzip.compress(file, mtime=0), b"", file * 2, file[::-1], file.hex().encode()))


def more_at_the_end(rng: random.Random, file: bytes) -> bytes:
    return file.rstrip() + rng.choice(
        (
            b"",
            b"\n",
            b"\n\n\n",
            b"\r\n",
            b" ",
            b" \n",
            b"\n \t\n",
            b"\x1a",
            b"\n\x0c",
            b",",
            b"\n,",
            b"\n\xc2\xa0",
        )
    )


def other_line_ends(rng: random.Random, file: bytes) -> bytes:
    count = rng.choice((-1, -1, 1, 5))
    return file.replace(b"\n", rng.choice(ENDS).encode(), count)


def bom(rng: random.Random, file: bytes) -> bytes:
    return b"\xef\xbb\xbf" + file


# Lines


def lose_lines(rng: random.Random, lines: list[str]) -> list[str]:
    gone = span(rng, len(lines), rng.choice((1, 5, 60)))
    return lines[: gone.start] + lines[gone.stop :]


def double_lines(rng: random.Random, lines: list[str]) -> list[str]:
    again = span(rng, len(lines), rng.choice((1, 10)))
    return lines[: again.stop] + lines[again] + lines[again.stop :]


def double_a_line_elsewhere(rng: random.Random, lines: list[str]) -> list[str]:
    found = list(lines)
    found.insert(rng.randrange(len(found) + 1), rng.choice(lines))
    return found


def swap_lines(rng: random.Random, lines: list[str]) -> list[str]:
    found = list(lines)
    one, other = rng.randrange(len(found)), rng.randrange(len(found))
    found[one], found[other] = found[other], found[one]
    return found


def reorder_rows(rng: random.Random, lines: list[str]) -> list[str]:
    rows = lines[1:]
    rng.shuffle(rows)
    return lines[:1] + rng.choice((rows, sorted(rows), rows[::-1]))


def blank_line(rng: random.Random, lines: list[str]) -> list[str]:
    place = rng.choice((rng.randrange(len(lines) + 1), len(lines)))
    return [*lines[:place], rng.choice(("", " ", ",,", "\t", "#")), *lines[place:]]


def glue_lines(rng: random.Random, lines: list[str]) -> list[str]:
    place = rng.randrange(len(lines))
    return [*lines[:place], "".join(lines[place : place + 2]), *lines[place + 2 :]]


def break_a_line(rng: random.Random, lines: list[str]) -> list[str]:
    place = rng.randrange(len(lines))
    cut = rng.randrange(len(lines[place]) + 1)
    return [*lines[:place], lines[place][:cut], lines[place][cut:], *lines[place + 1 :]]


def lose_the_header(rng: random.Random, lines: list[str]) -> list[str]:
    return lines[1:]


def header_again(rng: random.Random, lines: list[str]) -> list[str]:
    place = rng.randrange(len(lines) + 1)
    return [*lines[:place], *lines[:1], *lines[place:]]


def quoted(rng: random.Random, lines: list[str]) -> list[str]:
    """Every cell in quotes, in some of the lines or all."""
    share = rng.choice((0.1, 1))
    return [
        ",".join(f'"{cell}"' for cell in line.split(","))
        if '"' not in line and rng.random() < share
        else line
        for line in lines
    ]


# Cells


def any_row(rng: random.Random, rows: Table) -> list[str]:
    """A U.S. row more often than not."""
    us = [row for row in rows[1:] if "US" in row] or rows
    return rng.choice(us if rng.random() < 0.8 else rows)


def other_text(rng: random.Random, rows: Table) -> None:
    row = any_row(rng, rows)
    row[rng.randrange(len(row))] = rng.choice(TEXTS)


def other_digits(rng: random.Random, rows: Table) -> None:
    row = any_row(rng, rows)
    place = rng.randrange(len(row))
    changed = [rng.choice("0123456789") if c.isdigit() and rng.random() < 0.4 else c for c in row[place]]
    row[place] = "".join(changed)


def decorated(rng: random.Random, rows: Table) -> None:
    row = any_row(rng, rows)
    place = rng.randrange(len(row))
    form = rng.choice(
        (
            "{}.0",
            "{}.000",
            "0{}",
            "00000{}",
            "+{}",
            "-{}",
            " {}",
            "{} ",
            '"{}"',
            "{}\r",
            "{}_0",
            "{}0",
            "{}.",
            "{}e0",
            '{}"',
            "'{}",
        )
    )
    row[place] = form.format(row[place])


def shift_a_date(rng: random.Random, rows: Table) -> None:
    row = any_row(rng, rows)
    for place, cell in enumerate(row):
        try:
            date = dt.date.fromisoformat(cell)
        except ValueError:
            continue
        days = rng.choice((-36_500, -31, -1, 1, 2, 31, 366, 3_650))
        moved = date + dt.timedelta(days=days)
        row[place] = rng.choice(
            (
                str(moved),
                str(moved),
                f"{date:%Y-%d-%m}",
                f"{date:%m/%d/%Y}",
                f"{date:%Y%m%d}",
                f"{date:%y-%m-%d}",
            )
        )


def swap_cells(rng: random.Random, rows: Table) -> None:
    row = any_row(rng, rows)
    one, other = rng.randrange(len(row)), rng.randrange(len(row))
    row[one], row[other] = row[other], row[one]


def copy_a_cell(rng: random.Random, rows: Table) -> None:
    row, other = any_row(rng, rows), any_row(rng, rows)
    place = rng.randrange(min(len(row), len(other)))
    row[place] = other[place]


def more_cells(rng: random.Random, rows: Table) -> None:
    row = any_row(rng, rows)
    row.insert(rng.randrange(len(row) + 1), rng.choice(TEXTS))


def fewer_cells(rng: random.Random, rows: Table) -> None:
    row = any_row(rng, rows)
    if len(row) > 1:
        del row[rng.randrange(len(row))]


# Columns


def turn_columns(rng: random.Random, rows: Table) -> None:
    order = list(range(len(rows[0])))
    rng.shuffle(order)
    rows[:] = [[row[place] for place in order] if len(row) == len(order) else row for row in rows]


def rename_a_column(rng: random.Random, rows: Table) -> None:
    rows[0][rng.randrange(len(rows[0]))] = rng.choice(NAMES)


def swap_names(rng: random.Random, rows: Table) -> None:
    rng.shuffle(rows[0])


def add_a_column(rng: random.Random, rows: Table) -> None:
    place = rng.randrange(len(rows[0]) + 1)
    text = rng.choice(TEXTS)
    for row in rows:
        row.insert(place, text)
    rows[0][place] = rng.choice((*NAMES, "new", "more", "notes"))


def lose_a_column(rng: random.Random, rows: Table) -> None:
    place = rng.randrange(len(rows[0]))
    for row in rows:
        del row[place : place + 1]


def decimals_everywhere(rng: random.Random, rows: Table) -> None:
    for row in rows[1:]:
        row[:] = [f"{cell}.0" if cell.isdigit() else cell for cell in row]


def empty_a_column(rng: random.Random, rows: Table) -> None:
    """From one row on: zeros, or nothing."""
    place, start, text = rng.randrange(len(rows[0])), rng.randrange(len(rows)), rng.choice(("", "0"))
    for row in rows[start + 1 :]:
        row[place : place + 1] = [text]


BYTES: tuple[ByteDamage, ...] = (
    flip_a_bit, change_a_byte, lose_some, cut_the_end, cut_the_start, repeat_some, insert_bytes,
    other_encoding, packed, more_at_the_end, other_line_ends, bom,
)  # fmt: skip
LINES: tuple[LineDamage, ...] = (
    lose_lines, double_lines, double_a_line_elsewhere, swap_lines, reorder_rows, blank_line, glue_lines,
    break_a_line, lose_the_header, header_again, quoted,
)  # fmt: skip
CELLS: tuple[CellDamage, ...] = (
    other_text, other_digits, decorated, shift_a_date, swap_cells, copy_a_cell, more_cells, fewer_cells,
    turn_columns, rename_a_column, swap_names, add_a_column, lose_a_column, decimals_everywhere,
    empty_a_column,
)  # fmt: skip
DAMAGES = {damage.__name__: damage for damage in (*BYTES, *LINES, *CELLS)}
OFTEN = (
    other_text,
    other_digits,
    decorated,
    shift_a_date,
    copy_a_cell,
    reorder_rows,
    more_at_the_end,
    turn_columns,
)


def mutated(number: int, files: dict[str, bytes]) -> tuple[dict[str, bytes], list[str]]:
    """The files with one to four damages, and what they were."""
    rng = random.Random(number)
    found, names = dict(files), []
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        source = rng.choice(("nyt", "jhu"))
        damage = rng.choice((*DAMAGES.values(), *OFTEN))
        if found[source].strip():
            found[source] = _damaged(rng, found[source], damage)
            names.append(f"{damage.__name__} in {source}")
    return found, names


def _damaged(rng: random.Random, file: bytes, damage: Callable[..., object]) -> bytes:
    if damage in BYTES:
        result = damage(rng, file)
        assert isinstance(result, bytes)
        return result
    lines = file.decode("utf-8", "surrogateescape").split("\n")
    if damage in LINES:
        result = damage(rng, lines)
        assert isinstance(result, list)
        lines = result
    else:
        rows = [line.split(",") for line in lines]
        damage(rng, rows)
        lines = [",".join(row) for row in rows]
    return "\n".join(lines).encode("utf-8", "surrogateescape")
