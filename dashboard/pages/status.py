"""The state of the pipeline. Pure."""

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard import health, text
from dashboard.cache import Details, Snapshot
from dashboard.health import public
from dashboard.pages import frame, ids
from dashboard.view import View
from schemas.figures import PUBLISHERS
from schemas.ledger import Run, SentNotice, SourceFile
from schemas.text import plural

PATH, LINK, TITLE, SECTION = "/status", "Status", "the pipeline's state", ids.STATUS
CONTENT = (ids.ASSESSMENT,)
UNREAD = "The ledger can't be read now; look again in a minute."
MAX_PENDING = 60
STATES = {"open": "○", "completed": "●", "failed": "✕", "incomplete": "◐"}


def needs(_view: View) -> dict[str, bool]:
    """What of the record is read for this page."""
    return {"notices": True}


def section() -> Component:
    return html.Section(
        [
            html.H1("The state of the pipeline", className="headline"),
            html.Div(id=ids.ASSESSMENT),
        ],
        id=ids.STATUS,
        hidden=True,
    )


def content(snapshot: Snapshot, _view: View) -> dict[str, Any]:
    """What each id in the section holds."""
    return {ids.ASSESSMENT: page(snapshot)}


def page(snapshot: Snapshot) -> list[Component]:
    """The state and every reason for it, then the facts that it was made from."""
    assessment = health.assess(snapshot)
    return [
        html.Div(
            [html.P(assessment.state.capitalize(), className="verdict"), *frame.bullets(assessment.reasons)],
            className=f"assessment {assessment.state}",
        ),
        _facts(snapshot),
        *_pending(snapshot),
        *_runs(snapshot.details),
        *_notices(snapshot.details and snapshot.details.notices),
        *_warnings(snapshot),
        html.H2("The sources"),
        _files(snapshot.details),
        html.H2("What was deployed"),
        _deployed(snapshot),
        html.P([html.A("The same as JSON", href="/status.json")]),
        html.P(
            ["Every entry of a day is on the day's page: ", html.A("all revisions", href="/revisions"), "."]
        ),
    ]


def _facts(snapshot: Snapshot) -> Component:
    head, runs = snapshot.head, snapshot.details.runs if snapshot.details else ()
    lag = health.lag(snapshot)
    last_date = head and head.last_acknowledged
    facts: list[tuple[str, Any]] = [
        ("Last acknowledged date", frame.day(last_date, str(last_date)) if last_date else "none yet"),
        ("Newest published date", str((head and head.newest) or "not known")),
        ("Lag", "not known" if lag is None else plural(lag, "day")),
        ("Days in the record", "not known" if snapshot.rows is None else f"{len(snapshot.rows):,}"),
    ]
    if runs:
        last = runs[0]
        facts.append(
            ("Last run", f"{text.moment(last.time)} ({text.ago(last.asked_at, snapshot.now)}): {last.state}")
        )
        facts.append(("Its tally", health.tally(last)))
    facts.append(("Last completed", text.moment(head.last_success if head else None)))
    facts.append(("Schedule", snapshot.settings.schedule))
    if snapshot.trailing:
        facts.append(("Trailing", health.looks_again()))
    return _list(facts)


def _pending(snapshot: Snapshot) -> list[Component]:
    if snapshot.details is None:
        return [html.H2("Days pending"), html.P(UNREAD)]
    found = health.pending(snapshot)
    if not found:
        return [html.H2("Days pending"), html.P("None.")]
    shown = found[:MAX_PENDING]
    caption = f"Days pending: {len(found):,}" + (
        "" if shown == found else f", the oldest {MAX_PENDING} shown"
    )
    rows = [[str(one.date), one.reason] for one in shown]
    return [html.H2("Days pending"), frame.table(caption, ["Date", "Why"], rows, "pending", texts=(0, 1))]


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
                    html.Span(STATES[run.state], **frame.aria(hidden="true")),
                    html.Span(
                        f"{text.moment(run.time)}: {run.state}, {health.tally(run)}", className="for-readers"
                    ),
                ],
                className=run.state,
                title=f"{text.moment(run.time)}: {run.state}, {health.tally(run)}",
            )
            for run in reversed(runs)
        ],
        className="strip",
    )
    rows = [
        [
            text.moment(run.time),
            run.state,
            health.tally(run),
            "the public history" if run.is_backfilled else public(run.trigger),
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
                html.Summary(f"The last {plural(len(runs), 'run')}, one by one"),
                frame.table(
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
        silence = UNREAD if notices is None else "Nobody has been told anything yet."
        return [html.H2("Notices"), html.P(silence)]
    items = [
        html.Li(
            html.Details(
                [
                    html.Summary(
                        [
                            html.Span(text.moment(sent.created_at), className="when"),
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


def _warnings(snapshot: Snapshot) -> list[Component]:
    warnings = health.standing(snapshot)
    if not warnings:
        return []
    return [
        html.H2("Standing remarks about the sources"),
        html.Details(
            [
                html.Summary(plural(len(warnings), "remark")),
                *frame.bullets(public(one.text) + "." for one in warnings),
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
            text.moment(file.checked_at),
            html.Code(file.sha256[:16]),
        ]
        for file in files
    ]
    header = ["Source", "Newest date", "Rows", "Checked", "SHA-256"]
    return frame.table("Each source's file as last checked", header, rows, "files", texts=(0, 1, 3, 4))


def _deployed(snapshot: Snapshot) -> Component:
    facts: list[tuple[str, Any]] = [
        ("Stack", snapshot.settings.stack),
        ("Dashboard's bundle", html.Code(snapshot.settings.bundle)),
        ("Store of the tables", snapshot.settings.store),
    ]
    runs = snapshot.details.runs if snapshot.details else ()
    if runs and runs[0].code:
        facts.insert(1, ("Functions' code of the last run", html.Code(public(runs[0].code))))
    return _list(facts)


def _list(facts: Sequence[tuple[str, Any]]) -> Component:
    return html.Dl([html.Div([html.Dt(name), html.Dd(value)]) for name, value in facts], className="facts")
