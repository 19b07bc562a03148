"""The language of scenarios: a file becomes a value, or a mistake that names its line. docs/scenarios.md."""

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.scenario import values
from local.scenario.calls import Call, call
from local.scenario.document import Node, read
from local.scenario.form import STORES, Delivery, During, Fault, Scenario, Step, every_step

WAYS = ("refused", "throttled", "denied", "5xx", "unanswered", "dies before", "dies after")
EVER = "ever"
LOST = re.compile(r"archive ([1-9][0-9]*)|ledger (\S+)")
OUTCOMES = ("open", "completed", "failed", "incomplete", "none")
ALL = "all"


def scenario(path: Path) -> Scenario:
    """The scenario of a file. Raises Mistake."""
    document = read(path)
    record = document.record(
        {
            "name": Node.text,
            "store": lambda node: STORES[node.one_of(STORES, "store")],
            "files": lambda node: {key.text(): values.files(value) for key, value in node.fields()},
            "steps": _steps,
            "expect": _expectations,
        },
        required=("name", "steps"),
    )
    made = Scenario(
        record["name"],
        record["steps"],
        record.get("files", {}),
        record.get("store", STORES["both"]),
        record.get("expect", {}),
    )
    _check_names(document, made)
    return made


# Steps


def _steps(node: Node) -> tuple[Step, ...]:
    return tuple(map(_step, node.items()))


def _step(node: Node) -> Step:
    keys = [key for key, _ in node.fields()]
    kinds = [key.text() for key in keys if key.text() in STEPS]
    for key in keys:
        if not kinds and key.text() not in BESIDE:
            key.wrong(f"unknown step {key.text()!r}; there are {', '.join([*STEPS, 'fail'])}")
    if not kinds and any(key.text() == "fail" for key in keys):
        record = node.record(BESIDE, required=("fail",))
        return Step("fail", None, node.line, {}, record["fail"], record.get("during", ()))
    if len(kinds) != 1:
        node.wrong(f"a step does one thing; here are {', '.join(kinds) or 'none'}")
    kind = kinds[0]
    value, options, required = STEPS[kind]
    record = node.record({kind: value, **options, **BESIDE}, required=(kind, *required))
    chosen = {name: record[name] for name in options if name in record}
    return Step(kind, record[kind], node.line, chosen, record.get("fail", ()), record.get("during", ()))


def _one_or_more(read: Callable[[Node], Any]) -> Callable[[Node], tuple[Any, ...]]:
    return lambda node: tuple(map(read, node.items())) if node.is_list else (read(node),)


def _fault(node: Node) -> Fault:
    record = node.record(
        PLACE | {"how": lambda node: node.one_of(WAYS, "way"), "for": _lasting}, required=("call", "how")
    )
    lasting = {"lasting": record.pop("for")} if "for" in record else {}
    return Fault(**record, **lasting)


def _during(node: Node) -> During:
    record = node.record(PLACE | {"do": _steps}, required=("call", "do"))
    return During(steps=record.pop("do"), **record)


def _lasting(node: Node) -> int | dt.timedelta | None:
    if node.text() == EVER:
        return None
    return node.number(1) if node.text().isdecimal() else node.parsed(values.span)


def _delivery(node: Node) -> Delivery:
    names = _one_or_more(Node.text)
    record = node.record({"again": names, "only": _one_or_more(_place), "late": names})
    runs = record.pop("again", (ALL,))
    return Delivery(() if runs == (ALL,) else runs, **record)


def _place(node: Node) -> int:
    return node.number(1)


def _lost(node: Node) -> int | dt.date:
    """The place of an object in the log, or a date of the ledger."""

    def parse(text: str) -> int | dt.date:
        match = LOST.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is neither like 'archive 1' nor like 'ledger 2020-03-02'")
        return int(match[1]) if match[1] else values.date(match[2])

    return node.parsed(parse)


def _only(word: str, what: str) -> Callable[[Node], str]:
    return lambda node: node.one_of((word,), what)


def _call(node: Node) -> Call:
    return node.parsed(call)


# Expectations


def _expectations(node: Node) -> dict[str, Any]:
    return node.record(
        {
            "daily": values.by_date,
            "entries": lambda node: {
                key.parsed(values.date): values.entries(value) for key, value in node.fields()
            },
            "as of": lambda node: {
                key.parsed(values.moment): values.by_date(value) for key, value in node.fields()
            },
            "pending": lambda node: [date.parsed(values.date) for date in node.items()],
            "lag": Node.number,
            "reports": Node.number,
            "alerts": Node.number,
            "saying": _one_or_more(Node.text),
            "never saying": _one_or_more(Node.text),
            "closing run": lambda node: node.one_of(OUTCOMES, "state"),
        }
    )


# A step's key → how its value is read, its further keys, and which of them must be there.
STEPS: dict[str, tuple[Callable[[Node], Any], dict[str, Callable[[Node], Any]], tuple[str, ...]]] = {
    "publish": (Node.text, {}, ()),
    "run": (
        Node.text,
        {"at": lambda node: node.parsed(values.moment), "retries": _only("none", "retries")},
        (),
    ),
    "retry": (Node.text, {}, ()),
    "hold": (_only("consumer", "handler to hold"), {}, ()),
    "release": (_only("consumer", "handler to release"), {}, ()),
    "deliver": (_delivery, {}, ()),
    "put": (Node.text, {}, ()),
    "lose": (_lost, {}, ()),
    "wait": (lambda node: node.parsed(values.span), {}, ()),
    "remake mapping": (_only("trim horizon", "place to begin at"), {}, ()),
    "mend": (_call, {}, ()),
    "ops": (lambda node: [word.text() for word in node.items()], {"exits": _one_or_more(Node.number)}, ()),
    "repeat": (lambda node: node.number(1), {"steps": _steps}, ("steps",)),
    "expect": (_expectations, {}, ()),
}
BESIDE = {"fail": _one_or_more(_fault), "during": _one_or_more(_during)}
PLACE = {"call": _call, "nth": _place, "where": Node.text}


def _check_names(document: Node, made: Scenario) -> None:
    """Files, runs and calls are named where they are made."""
    steps = list(every_step(made.steps))
    runs = {step.value for step in steps if step.kind == "run"}
    failing = {fault.call for step in steps for fault in step.faults}
    for step in steps:
        named, known, what = (), (), ""
        if step.kind == "publish":
            named, known, what = (step.value,), made.files, "files"
        elif step.kind == "retry":
            named, known, what = (step.value,), runs, "run"
        elif step.kind == "deliver":
            named, known, what = (*step.value.runs, *step.value.late), runs, "run"
        elif step.kind == "mend":
            named, known, what = (step.value,), failing, "failing call"
        for name in named:
            if name not in known:
                document.wrong(f"unknown {what} {str(name)!r}", step.line)
