"""What every page has: the masthead, the banners, whose figures they are, and the parts of a page."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component
from markupsafe import Markup

from dashboard import health, text
from dashboard.addresses import Addresses
from dashboard.cache import Snapshot
from dashboard.markup import element, markup
from dashboard.pages import ids
from dashboard.view import View

PLACES = {"store": "The store of the figures", "ledger": "The ledger"}
JHU_LICENCE = "https://creativecommons.org/licenses/by/4.0/"
NYT_LICENCE = "https://github.com/nytimes/covid-19-data/blob/master/LICENSE"
LAST_DATE = "9999-12-31"  # of a field for dates: without it a year has six digits
MOTTO = "The U.S. COVID-19 record, with every correction kept"
REFRESH_SECONDS = 60
HERE = Addresses()
# A book, so that no browser asks for an icon that there isn't.
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Cpath fill='%230072b2' d='M1 3q4-2 7 0 3-2 7 0v10q-4-2-7 0-3-2-7 0z'/%3E"
    "%3Cpath stroke='%23fff' d='M8 3.5v9'/%3E%3C/svg%3E"
)
HEAD = element("link", rel="icon", href=ICON) + element(
    "link", rel="alternate", type="application/atom+xml", href=HERE.feed, title="Changes"
)
DOCUMENT = Markup("""<!DOCTYPE html>
<html lang="en">
    <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="description" content="{description}">
        <meta property="og:type" content="website">
        <meta property="og:title" content="{title}">
        <meta property="og:description" content="{description}">
        <title>{title}</title>
        {head}
    </head>
    <body>
        {body}
    </body>
</html>
""")
# What a page's content gives of an id, where it isn't its children.
PROPERTIES = {
    **{name: (name, "data") for name in (ids.VERSION, ids.ENTRIES, ids.TEMPLATE)},
    **{name: (name, "hidden") for name in (ids.DRAWING, ids.PICTURE, ids.SCRUBBER)},
    ids.CHART: (ids.CHART, "figure"),
    ids.MOMENT: (ids.MOMENT, "value"),
    ids.LAST_MOMENT: (ids.MOMENT, "max"),
}
CONTENT = (ids.VERSION, ids.BANNERS, ids.BADGES, ids.PROVENANCE)


def aria(**attributes: str) -> dict[str, Any]:
    """ARIA attributes, whose names Python can't spell."""
    return {f"aria-{name}": value for name, value in attributes.items()}


def layout(
    links: Sequence[tuple[str, str]], sections: Sequence[Component], refresh_seconds: float
) -> Component:
    """The page that stands before anything is read: every section hidden, each link a title and a path."""
    return html.Div(
        [
            dcc.Location(id=ids.URL, refresh=False),
            dcc.Interval(id=ids.TICK, interval=int(refresh_seconds * 1000)),
            dcc.Store(id=ids.AGAIN),
            dcc.Store(id=ids.VERSION),
            html.A("To the content", href="#content", className="skip"),
            html.Div(id=ids.BANNERS),
            html.Div(id=ids.ALERT, role="alert", className="alert"),
            masthead(links, html.Div(id=ids.BADGES, className="badges")),
            html.Main([*sections, html.Section(id=ids.ELSEWHERE, hidden=True)], id="content", tabIndex=-1),
            html.Footer([html.P(text.CREDIT)], id=ids.PROVENANCE),
        ],
        className="sheet",
    )


def masthead(links: Sequence[tuple[str, str]], badges: Component) -> Component:
    """The page's name, which leads to the first of the links, and these."""
    return html.Header(
        [
            html.Div(
                [
                    html.A("Daybook", href=links[0][1], className="name"),
                    html.P(MOTTO, className="motto"),
                ]
            ),
            html.Nav([html.A(title, href=path) for title, path in links], **aria(label="Pages")),
            badges,
        ],
        className="masthead",
    )


def sheet(snapshot: Snapshot, links: Sequence[tuple[str, str]], main: Any) -> Markup:
    """A page that needs no script, with what stands around any page."""
    return markup(
        html.Div(
            [
                html.A("To the content", href="#content", className="skip"),
                *banners(snapshot),
                masthead(links, html.Div(badges(snapshot, state=False), className="badges")),
                html.Main(main, id="content", tabIndex=-1),
                html.Footer(provenance(snapshot)),
            ],
            className="sheet",
        )
    )


def document(title: str, description: str, head: Markup, body: Markup) -> str:
    """An HTML document as text."""
    return DOCUMENT.format(title=title, description=description, head=head, body=body)


def version(snapshot: Snapshot) -> str:
    """A hash of what a page is drawn from: the page keeps it, and its parts are not for everybody."""
    return hashlib.sha256(repr((snapshot.version, health.assess(snapshot))).encode()).hexdigest()


def content(snapshot: Snapshot, *, state: bool = False) -> dict[str, Any]:
    """What stands around any page; with the pipeline's ``state`` on its own page only."""
    return {
        ids.VERSION: version(snapshot),
        ids.BANNERS: banners(snapshot),
        ids.BADGES: badges(snapshot, state=state),
        ids.PROVENANCE: provenance(snapshot),
    }


def nothing_here() -> list[Component]:
    return [
        html.H1("No such page", className="headline"),
        html.P(
            ["There is ", html.A("the record", href="/"), " and ", html.A("its status", href="/status"), "."]
        ),
    ]


def banners(snapshot: Snapshot) -> list[Component]:
    """Across the top of every page: what must not be overlooked."""
    marks = []
    if snapshot.settings.synthetic:
        marks.append(made_up())
    sentences = []
    for problem in snapshot.problems:
        figures = f"the figures below are those of {text.when(snapshot.read_at)}"
        kept = figures if snapshot.read_at else "no figures have been read yet"
        sentences.append(
            f"{PLACES[problem.place]} has been out of reach since {text.when(problem.since)}: {kept}."
        )
    if snapshot.waiting and not sentences:
        sentences.append(
            "The figures have not been read yet; an answer is on its way. Look again in a minute."
            if snapshot.rows is None
            else "An answer is taking its time; this is what was last known."
        )
    marks += [html.P(sentence, className="banner failure") for sentence in sentences]
    return [html.Div(marks, role="status")] if marks else []


def made_up() -> Component:
    text = " These figures are made up. They are nobody's record of anything."
    return html.P([html.B("Synthetic sample."), text], className="banner synthetic")


def badges(snapshot: Snapshot, *, state: bool) -> list[Component]:
    """How far the figures go, and when more are to be expected."""
    assessment = health.assess(snapshot)
    marks: list[Component] = [html.Span(["Data through ", html.B(_through(snapshot))])]
    if checked := health.checked_at(snapshot):
        marks.append(html.Span(["Sources checked ", html.B(text.when(checked))]))
    marks.append(html.Span(_next(snapshot, is_late=assessment.stale)))
    if snapshot.trailing:
        marks.append(html.Span("Some of the newest figures are still to come", className="badge"))
    if state and assessment.state not in ("healthy", "ended"):
        marks.append(
            html.A(assessment.state.capitalize(), href="/status", className=f"badge {assessment.state}")
        )
    return marks


def _through(snapshot: Snapshot) -> Any:
    if snapshot.head is None:
        return "not known yet"
    date = snapshot.head.last_acknowledged
    return "no date yet" if date is None else day(date)


def _next(snapshot: Snapshot, *, is_late: bool) -> list[Any]:
    """What a reader may expect of the figures; nothing where that can't be said."""
    if health.ended(snapshot):
        return ["No further figures expected"]
    expected = health.next_run(snapshot.settings.schedule, health.asked_at(snapshot))
    if expected is None:
        return []
    if is_late:
        return [html.B("Late", className="badge"), " figures expected ", html.B(text.when(expected))]
    return ["Next figures expected ", html.B(text.when(expected))]


def provenance(snapshot: Snapshot) -> list[Component]:
    """Whose figures they are, on what terms, and what became of the sources."""
    notes = [*health.information(snapshot), *text.from_history(snapshot.entries or ())]
    return [
        *(html.P(sentence, className="information") for sentence in notes),
        credit(),
        html.P(
            [
                "Stable addresses: ",
                html.A("/data/days.csv", href="/data/days.csv"),
                " and ",
                html.A("/data/entries.csv", href="/data/entries.csv"),
                f". Stack {snapshot.settings.stack}.",
            ]
        ),
    ]


def credit() -> Component:
    """Whose figures they are, and on what terms."""
    return html.P(
        [
            "Cases and deaths: ",
            html.B("The New York Times"),
            ", from its file us.csv; ",
            html.A("for non-commercial use, with credit", href=NYT_LICENCE, rel="noreferrer"),
            ". Recoveries: ",
            html.B("COVID-19 Data Repository by CSSE at Johns Hopkins University"),
            ", by way of datasets/covid-19; ",
            html.A("CC BY 4.0", href=JHU_LICENCE, rel="noreferrer"),
            ", changed only in that a withdrawn count is shown as not reported.",
        ]
    )


def table(
    caption: Any, header: Sequence[str], rows: Iterable[Sequence[Any]], name: str, texts: Sequence[int] = (0,)
) -> Component:
    """A table that scrolls sideways where it has to, and on a telephone is a list of lists; ``texts`` are the
    columns that hold no numbers. The first column heads its row.

    Roles are written out: a table that is laid out otherwise would lose its own.
    """
    caption_id = f"{name}-caption"
    side = ["text" if place in texts else "" for place in range(len(header))]
    head = [
        html.Th(title, scope="col", role="columnheader", className=kind)
        for title, kind in zip(header, side, strict=True)
    ]
    body = [
        html.Tr(
            [
                html.Th(first, scope="row", role="rowheader", className="text"),
                *(
                    html.Td(cell, role="cell", className=side[place], **_labelled(header[place]))
                    for place, cell in enumerate(rest, 1)
                ),
            ],
            role="row",
        )
        for first, *rest in rows
    ]
    scrolled = html.Div(
        html.Table(
            [
                html.Thead(html.Tr(head, role="row"), role="rowgroup"),
                html.Tbody(body, role="rowgroup"),
            ],
            role="table",
            **aria(labelledby=caption_id),
        ),
        className="scroll",
        tabIndex=0,
        role="region",
        **aria(labelledby=caption_id),
    )
    # Outside of what scrolls: a caption would be cut off with the columns.
    return html.Div([html.P(caption, id=caption_id, className="caption"), scrolled])


def day(date: dt.date, label: str = "", addresses: Addresses = HERE) -> Component:
    """A date, which leads to its page."""
    return html.A(label or text.date(date), href=addresses.day(date), className="day")


def _labelled(title: str) -> dict[str, Any]:
    """The heading of a cell for where there is no row of headings."""
    return {"data-label": title}


def address(view: View, **changes: Any) -> str:
    """Where the record is shown under that view, but for these changes."""
    return "/" + replace(view, **changes).query()


def link(label: str, href: str, name: str) -> Component:
    """To another state of this page: the script goes there without loading it again or leaving the place."""
    return html.A(label, href=href, id=name, className="here")


def bullets(texts: Iterable[str], name: str = "plain") -> list[Component]:
    items = [html.Li(item) for item in texts]
    return [html.Ul(items, className=name)] if items else []


def switch(name: str, legend: str, options: dict[str, str], value: str) -> Component:
    return html.Fieldset(
        [
            html.Legend(legend),
            dbc.RadioItems(
                id=name,
                name=name,  # one group to the browser: arrow keys move within it
                options=[{"label": label, "value": key} for key, label in options.items()],
                value=value,
                className="switch",
            ),
        ]
    )


def date_field(name: str, label: str) -> Component:
    return html.Span(
        [
            html.Label(label, htmlFor=name),
            dbc.Input(
                id=name,
                type="date",  # pyright: ignore[reportArgumentType] documented, and tried, but not in its stub
                value="",
                max=LAST_DATE,
            ),
        ]
    )
