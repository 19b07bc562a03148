"""The table of docs/reliability.md: every kind of fault that is counted is in it, and all were survived."""

import re
from pathlib import Path

import reliability
from faults import WAYS

ROW = re.compile(r"^\| ([^|]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", re.MULTILINE)
COUNTED = re.compile(r"\bcounted\(\s*f?\"([^\"]+)\"")


def rows(text):
    return {name: (int(tried.replace(",", "")), survived) for name, tried, survived, _ in ROW.findall(text)}


def kinds():
    for path in set(Path(__file__).parent.glob("test_*.py")) - {Path(__file__)}:
        for kind in COUNTED.findall(path.read_text(encoding="utf-8")):
            if "{way}" in kind:
                yield from (kind.replace("{way}", way) for way in WAYS)
            else:
                yield kind


def test_every_kind_of_fault_that_is_counted_is_in_the_document_and_was_survived():
    found = rows(reliability.DOCUMENT.read_text(encoding="utf-8"))
    assert found.keys() - {"**all**"} == set(kinds())
    for kind, (tried, survived) in found.items():
        assert tried, kind
        assert survived == f"{tried:,}", kind
    assert found["**all**"][0] == sum(tried for kind, (tried, _) in found.items() if kind != "**all**")


def test_a_fault_that_is_not_survived_is_counted_as_such(tmp_path, monkeypatch):
    monkeypatch.setenv(reliability.VARIABLE, str(tmp_path))
    with reliability.counted("made up", 3):
        pass
    with reliability.counted("made up", 4) as count:
        count["broken"] += 1
    try:
        with reliability.counted("raised", 5):
            raise AssertionError
    except AssertionError:
        pass
    found = rows("\n".join(reliability.table(reliability.read(tmp_path))))
    assert found == {"made up": (7, "6"), "raised": (5, "0"), "**all**": (12, "6")}
    told = reliability.summary(reliability.read(tmp_path))
    assert told == "12 faults tried, 0 of them of the crash matrix; 6 survived"
    assert reliability.summary([]) == ""
