"""The status page, from what there is. Pure."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard import parts, status, words
from dashboard.latest import Details, Latest
from dashboard.latest import history as entries_of
from dashboard.settings import Settings
from dashboard.status import Assessment, public
from schemas.figures import FIGURES, PUBLISHERS
from schemas.ledger import Run, SentNotice, SourceFile
from schemas.text import plural
from storage.tables import ranked

UNREAD = "The ledger can't be read now; look again in a minute."
MAX_PENDING = 60
STATES = {"open": "○", "completed": "●", "failed": "✕", "incomplete": "◐"}


def page(latest: Latest, assessment: Assessment, settings: Settings, now: dt.datetime) -> list[Component]:
    return [
        html.Div(
            [html.P(assessment.state.capitalize(), className="verdict"), *parts.bullets(assessment.reasons)],
            className=f"assessment {assessment.state}",
        ),
        _facts(latest, now, settings),
        *_pending(latest),
        *_runs(latest.details),
        *_notices(latest.details and latest.details.notices),
        *_warnings(latest),
        html.H2("The sources"),
        _files(latest.details),
        html.H2("What was deployed"),
        _deployed(latest, settings),
        html.P([html.A("The same as JSON", href="/status.json")]),
    ]


def _facts(latest: Latest, now: dt.datetime, settings: Settings) -> Component:
    head, runs = latest.head, latest.details.runs if latest.details else ()
    lag = status.lag(latest)
    facts: list[tuple[str, Any]] = [
        ("Last acknowledged date", str((head and head.last_acknowledged) or "none yet")),
        ("Newest published date", str((head and head.newest) or "not known")),
        ("Lag", "not known" if lag is None else words.count(lag, "day")),
        ("Days in the record", "not known" if latest.rows is None else f"{len(latest.rows):,}"),
    ]
    if runs:
        last = runs[0]
        facts.append(("Last run", f"{words.moment(last.time)} ({words.ago(last.time, now)}): {last.state}"))
        facts.append(("Its tally", status.tally(last)))
    facts.append(("Last completed", words.moment(head.last_success if head else None)))
    facts.append(("Schedule", settings.schedule))
    if latest.trailing:
        facts.append(("Trailing", status.looks_again()))
    return _list(facts)


def _pending(latest: Latest) -> list[Component]:
    if latest.details is None:
        return [html.H2("Days pending"), html.P(UNREAD)]
    found = status.pending(latest)
    if not found:
        return [html.H2("Days pending"), html.P("None.")]
    shown = found[:MAX_PENDING]
    caption = f"Days pending: {len(found):,}" + (
        "" if shown == found else f", the oldest {MAX_PENDING} shown"
    )
    rows = [[str(one.date), one.reason] for one in shown]
    return [html.H2("Days pending"), parts.table(caption, ["Date", "Why"], rows, "pending", texts=(0, 1))]


def _runs(details: Details | None) -> list[Component]:
    """The last runs as a strip, oldest first, and a table of them, newest first."""
    if details is None:
        return [html.H2("Runs"), html.P(UNREAD)]
    runs: Sequence[Run] = details.runs
    if not runs:
        return [html.H2("Runs"), html.P("No run has been made yet.")]
    strip = html.Ol(
        [
            html.Li(
                [
                    html.Span(STATES[run.state], **parts.aria(hidden="true")),
                    html.Span(
                        f"{words.moment(run.time)}: {run.state}, {status.tally(run)}", className="for-readers"
                    ),
                ],
                className=run.state,
                title=f"{words.moment(run.time)}: {run.state}, {status.tally(run)}",
            )
            for run in reversed(runs)
        ],
        className="strip",
    )
    rows = [
        [
            words.moment(run.time),
            run.state,
            status.tally(run),
            public(run.trigger),
            public("; ".join(run.reasons[:3])),
        ]
        for run in runs
    ]
    return [
        html.H2("Runs"),
        strip,
        html.P("Oldest on the left: ● completed, ○ open, ◐ incomplete, ✕ failed.", className="legend"),
        html.Details(
            [
                html.Summary(f"The last {words.count(len(runs), 'run')}, one by one"),
                parts.table(
                    "Runs, newest first",
                    ["Time", "State", "Tally", "Started by", "Why"],
                    rows,
                    "runs",
                    texts=range(5),
                ),
            ]
        ),
    ]


def _notices(notices: Sequence[SentNotice] | None) -> list[Component]:
    if not notices:
        text = UNREAD if notices is None else "Nobody has been told anything yet."
        return [html.H2("Notices"), html.P(text)]
    items = [
        html.Li(
            html.Details(
                [
                    html.Summary(
                        [
                            html.Span(words.moment(sent.created_at), className="when"),
                            " ",
                            public(sent.notice.subject),
                            *(
                                []
                                if sent.state == "sent"
                                else [" ", html.Span(sent.state, className="badge")]
                            ),
                        ]
                    ),
                    html.Pre(public(sent.notice.email), tabIndex=0),
                ]
            )
        )
        for sent in notices
    ]
    return [html.H2("Notices"), html.Ul(items, className="notices")]


def _warnings(latest: Latest) -> list[Component]:
    warnings = status.standing(latest)
    if not warnings:
        return []
    return [
        html.H2("Standing remarks about the sources"),
        html.Details(
            [
                html.Summary(words.count(len(warnings), "remark")),
                *parts.bullets(public(one.text) + "." for one in warnings),
            ]
        ),
    ]


def _files(details: Details | None) -> Component:
    if details is None:
        return html.P(UNREAD)
    files: Sequence[SourceFile] = details.files
    if not files:
        return html.P("No file has been believed yet.")
    rows = [
        [
            PUBLISHERS.get(file.source, file.source),
            str(file.newest),
            f"{file.rows:,}",
            words.moment(file.checked_at),
            html.Code(file.sha256[:16]),
        ]
        for file in files
    ]
    header = ["Source", "Newest date", "Rows", "Checked", "SHA-256"]
    return parts.table("Each source's file as last checked", header, rows, "files", texts=(0, 1, 3, 4))


def _deployed(latest: Latest, settings: Settings) -> Component:
    facts: list[tuple[str, Any]] = [
        ("Stack", settings.stack),
        ("Dashboard's bundle", html.Code(settings.bundle)),
        ("Store of the tables", settings.store),
    ]
    runs = latest.details.runs if latest.details else ()
    if runs and runs[0].code:
        facts.insert(1, ("Functions' code of the last run", html.Code(public(runs[0].code))))
    return _list(facts)


def _list(facts: Sequence[tuple[str, Any]]) -> Component:
    return html.Dl([html.Div([html.Dt(name), html.Dd(value)]) for name, value in facts], className="facts")


def history(latest: Latest, day: dt.date | None) -> list[Component]:
    """Every entry of a day, oldest first, with what it replaced."""
    if day is None:
        return [html.P("Choose a date to see every entry that was ever made of it.")]
    if latest.entries is None:
        return [html.P("The entries can't be read now; look again in a minute.")]
    found = ranked(entries_of(latest.entries, day))
    if not found:
        return [html.P(f"Nothing was ever entered for {day}.")]
    rows = [
        [
            str(revision),
            words.moment(row.recorded_at),
            *(
                "not reported" if value is None else words.number(value)
                for value in row.day.counts.values.values()
            ),
            html.Code(row.event),
        ]
        for revision, row in found
    ]
    query = f"?day={day}"
    caption = [
        f"{day}: {plural(len(found), 'entry')} (",
        html.A("CSV", href=f"/data/revisions.csv{query}"),
        ", ",
        html.A("JSON", href=f"/data/revisions.json{query}"),
        ")",
    ]
    header = ["Revision", "Entered", *(figure.title for figure in FIGURES), "Event"]
    return [parts.table(caption, header, rows, "history", texts=(0, 1, len(header) - 1))]
