"""What both pages are made of. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard import status, words
from dashboard.choice import Choice
from dashboard.expected import next_run
from dashboard.latest import Latest
from dashboard.settings import Settings
from dashboard.status import Assessment

PLACES = {"store": "The store of the figures", "ledger": "The ledger"}
JHU_LICENCE = "https://creativecommons.org/licenses/by/4.0/"
NYT_LICENCE = "https://github.com/nytimes/covid-19-data/blob/master/LICENSE"


def aria(**attributes: str) -> dict[str, Any]:
    """ARIA attributes, whose names Python can't spell."""
    return {f"aria-{name}": value for name, value in attributes.items()}


def banners(latest: Latest, settings: Settings) -> list[Component]:
    """Across the top of every page: what must not be overlooked."""
    found = []
    if settings.synthetic:
        found.append(
            html.P(
                [
                    html.B("Synthetic sample."),
                    " These figures are made up. They are nobody's record of anything.",
                ],
                className="banner synthetic",
            )
        )
    for problem in latest.problems:
        shown = f"the figures below are those of {words.when(latest.read_at)}"
        kept = shown if latest.read_at else "no figures have been read yet"
        text = f"{PLACES[problem.place]} has been out of reach since {words.when(problem.since)}: {kept}."
        found.append(html.P(text, className="banner failure"))
    if latest.waiting and not latest.problems:
        text = "An answer is taking its time; this is what was last known."
        if latest.rows is None:
            text = "The figures have not been read yet; an answer is on its way. Look again in a minute."
        found.append(html.P(text, className="banner failure"))
    return [html.Div(found, role="status")] if found else []


def badges(latest: Latest, assessment: Assessment, settings: Settings, *, at_status: bool) -> list[Component]:
    """How far the figures go, and when more are to be expected; the pipeline's state on its own page only."""
    marks: list[Component] = [html.Span(["Data through ", html.B(_through(latest))])]
    if checked := status.checked_at(latest):
        marks.append(html.Span(["Sources checked ", html.B(words.when(checked))]))
    marks.append(html.Span(_next(latest, assessment, settings)))
    if latest.trailing:
        marks.append(html.Span("Some of the newest figures are still to come", className="badge"))
    if at_status and assessment.state != "healthy":
        marks.append(
            html.A(assessment.state.capitalize(), href="/status", className=f"badge {assessment.state}")
        )
    return marks


def _through(latest: Latest) -> str:
    if latest.head is None:
        return "not known yet"
    date = latest.head.last_acknowledged
    return "no date yet" if date is None else words.date(date)


def _next(latest: Latest, assessment: Assessment, settings: Settings) -> list[Any]:
    """What a reader may expect of the figures; nothing where that can't be said."""
    ended = [warning for warning in status.standing(latest) if warning.code.startswith("ended/")]
    if ended:
        return ["No further figures expected"]
    expected = next_run(settings.schedule, latest.head and latest.head.last_run)
    if expected is None:
        return []
    if assessment.stale:
        return [html.B("Late", className="badge"), " figures expected ", html.B(words.when(expected))]
    return ["Next figures expected ", html.B(words.when(expected))]


def provenance(latest: Latest, settings: Settings) -> list[Component]:
    """Whose figures they are, on what terms, and what became of the sources."""
    notes = [html.P(text, className="information") for text in status.information(latest)]
    return [
        *notes,
        html.P(
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
        ),
        html.P(
            [
                "Stable addresses: ",
                html.A("/data/latest.csv", href="/data/latest.csv"),
                " and ",
                html.A("/data/latest.json", href="/data/latest.json"),
                f". Stack {settings.stack}.",
            ]
        ),
    ]


def table(
    caption: Any, header: Sequence[str], rows: Iterable[Sequence[Any]], name: str, texts: Sequence[int] = (0,)
) -> Component:
    """A table that scrolls sideways where it has to; ``texts`` are the columns that hold no numbers.

    The first column heads its row.
    """
    caption_id = f"{name}-caption"
    scrolled = html.Div(
        html.Table(
            [
                html.Thead(
                    html.Tr(
                        [
                            html.Th(text, scope="col", className="text" if place in texts else "")
                            for place, text in enumerate(header)
                        ]
                    )
                ),
                html.Tbody(
                    [
                        html.Tr(
                            [
                                html.Th(cell, scope="row", className="text")
                                if place == 0
                                else html.Td(cell, className="text" if place in texts else "")
                                for place, cell in enumerate(row)
                            ]
                        )
                        for row in rows
                    ]
                ),
            ],
            **aria(labelledby=caption_id),
        ),
        className="scroll",
        tabIndex=0,
        role="region",
        **aria(labelledby=caption_id),
    )
    # Outside of what scrolls: a caption would be cut off with the columns.
    return html.Div([html.P(caption, id=caption_id, className="caption"), scrolled])


def address(choice: Choice, **changes: Any) -> str:
    """Where the record is shown under that choice, but for these changes."""
    return "/" + replace(choice, **changes).query()


def link(text: str, href: str, name: str) -> Component:
    """To another state of this page: the script goes there without loading it again or leaving the place."""
    return html.A(text, href=href, id=name, className="here")


def bullets(texts: Iterable[str], name: str = "plain") -> list[Component]:
    found = [html.Li(text) for text in texts]
    return [html.Ul(found, className=name)] if found else []
