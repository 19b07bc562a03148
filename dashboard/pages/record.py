"""The record: today's, or as it stood on a date, as tiles, a chart and tables. Pure."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard import chart, health, series, svg, text
from dashboard.addresses import Addresses
from dashboard.cache import Snapshot
from dashboard.lately import changed_lately
from dashboard.markup import markup
from dashboard.milestones import Turn
from dashboard.pages import frame, ids, sharing
from dashboard.series import NAMES, SERIES, Figure, Restated, Seen, Tile, decimals, rounded
from dashboard.view import AVERAGE, COUNT, LINEAR, LOG, NEW, PER_100K, TOTAL, View
from schemas.figures import FIGURES
from schemas.text import plural
from storage.tables import Row

PATH, LINK, TITLE, SECTION = "/", "The record", "the U.S. COVID-19 record", ids.RECORD
CONTENT = (
    ids.DRAWING,
    ids.HEADLINE,
    ids.RIBBON,
    ids.SCRUBBER,
    ids.LAST_MOMENT,
    ids.MOMENT,
    ids.MOMENT_DATE,
    ids.TURNS,
    ids.TILES,
    ids.ENTRIES,
    ids.TEMPLATE,
    ids.CAPTION,
    ids.BELIEVED,
    ids.PICTURE,
    ids.CHART,
    ids.NOTES,
    ids.DOWNLOADS,
    ids.SHARING,
    ids.RESTATED,
    ids.TABLE,
    ids.LATELY,
)
DOWNLOADS = {"csv": ("CSV", "shown.csv"), "metadata": ("its units and credit", "metadata.json")} | {
    "zip": ("both as a zip", "shown.zip"),
    "json": ("JSON", "shown.json"),
}
SHOWS = {NEW: "New a day", AVERAGE: "7-day average", TOTAL: "Cumulative"}
SCALES = {LINEAR: "Linear", LOG: "Logarithmic"}
PERS = {COUNT: "Persons", PER_100K: "Per 100,000"}
SPANS = {"": "All", "365": "A year", "90": "90 days", "30": "30 days"}
ROWS_PER_PAGE = 28
MAX_RESTATED = 40


def needs(_view: View) -> dict[str, bool]:
    """What of the record is read for this page."""
    return {"entries": True}


def section() -> Component:
    """What we know, what we knew, and the chart of both."""
    return html.Section(
        [
            html.H1("COVID-19 in the United States", id=ids.HEADLINE, className="headline"),
            html.Div(id=ids.RIBBON),
            _way_back(),
            html.Div(id=ids.TILES, className="tiles"),
            html.Div(
                [
                    html.Form(
                        [
                            frame.switch(ids.SHOW, "Figures", SHOWS, NEW),
                            frame.switch(ids.SPAN, "Period", SPANS, ""),
                            html.Details(
                                [
                                    html.Summary("Scale, unit, dates"),
                                    html.Div(
                                        [
                                            frame.switch(ids.SCALE, "Scale", SCALES, LINEAR),
                                            frame.switch(ids.PER, "Counted in", PERS, COUNT),
                                            html.Fieldset(
                                                [
                                                    html.Legend("From date to date"),
                                                    html.Div(
                                                        [
                                                            frame.date_field(ids.START, "From"),
                                                            frame.date_field(ids.END, "To"),
                                                        ],
                                                        className="dates",
                                                    ),
                                                ]
                                            ),
                                        ],
                                        className="controls more",
                                    ),
                                ],
                            ),
                        ],
                        className="controls",
                        **frame.aria(label="What the chart shows"),
                    ),
                    _picture(),
                ],
                id=ids.DRAWING,
                hidden=True,
            ),
            html.Div(id=ids.RESTATED),
            html.Div(id=ids.LATELY),
            html.Div(id=ids.TABLE),
            dcc.Store(id=ids.ENTRIES),
            dcc.Store(id=ids.TEMPLATE),
        ],
        id=ids.RECORD,
        hidden=True,
    )


def _way_back() -> Component:
    return html.Form(
        [
            html.Fieldset(
                [
                    html.Legend("What did we know on …?"),
                    html.Div(frame.date_field(ids.ASOF, "At the end of"), className="dates"),
                    html.Div([_range(), html.Div(id=ids.TURNS, className="turns")], id=ids.SCRUBBER),
                    html.Div(id=ids.BELIEVED, role="status"),
                ]
            )
        ],
        className="way-back",
    )


def _range() -> Component:
    """The moments as a scrubber: assets/daybook.js moves through them, assets/compare.js computes them."""
    return html.Div(
        [
            html.Button("‹", id="earlier", type="button", **frame.aria(label="An entry earlier")),
            dcc.Input(id=ids.MOMENT, type="range", min=0, max=1, step=1, value=1),
            html.Button("›", id="later", type="button", **frame.aria(label="An entry later")),
            html.Button("Play", id="play", type="button"),
            html.Div([html.Label("as known", htmlFor=ids.MOMENT), html.Output("today", id=ids.MOMENT_DATE)]),
        ],
        className="range",
    )


def _picture() -> Component:
    nothing = {"data": [], "layout": {"xaxis": {"visible": False}, "yaxis": {"visible": False}}}
    graph = dcc.Graph(
        id=ids.CHART,
        figure=nothing,
        responsive=True,
        config={"displayModeBar": False, "responsive": True, "doubleClick": False},
    )
    return html.Div(
        [
            html.Figure(
                [
                    html.P(id="readout", className="readout", **frame.aria(hidden="true")),
                    html.Div(graph, className="chart"),
                    html.Figcaption(
                        [
                            html.P(id=ids.CAPTION, className="choice", role="status"),
                            html.Div(id=ids.NOTES, className="notes"),
                        ]
                    ),
                ]
            ),
            html.Div(
                [
                    html.Span("Take it home:"),
                    html.Span(id=ids.DOWNLOADS),
                    html.Button("PNG", id=ids.PNG, type="button", className="link"),
                ],
                className="downloads",
            ),
            html.Div(id=ids.SHARING),
        ],
        id=ids.PICTURE,
    )


def content(snapshot: Snapshot, view: View) -> dict[str, Any]:
    """What each id in the section holds; nothing is drawn where there is nothing to draw."""
    seen, entries = snapshot.seen(view), snapshot.entries_of(view)
    values: dict[str, Any] = {
        ids.HEADLINE: headline(seen),
        ids.RIBBON: ribbon(snapshot),
        **scrubber(entries, view),
        ids.TURNS: worth_a_look(snapshot.turns, view),
        ids.ENTRIES: snapshot.compact if view.known is None else series.compact(entries),
        ids.TILES: tiles(seen, snapshot),
        ids.DRAWING: not seen.rows,
        ids.BELIEVED: believed(seen, snapshot),
        ids.PICTURE: not seen.now.dates,
        ids.LATELY: changed_lately(snapshot.publications, frame.HERE),
    }
    if not seen.now.dates:
        return values | {
            name: [] for name in (ids.CAPTION, ids.NOTES, ids.DOWNLOADS, ids.SHARING, ids.RESTATED, ids.TABLE)
        }
    query = view.query()
    return values | {
        ids.CHART: figure(seen, synthetic=snapshot.settings.synthetic),
        ids.TEMPLATE: chart.template(seen, synthetic=snapshot.settings.synthetic),
        ids.CAPTION: caption(seen),
        ids.NOTES: [*frame.bullets(sentences(seen)), *events(seen)],
        ids.DOWNLOADS: [
            html.A(label, href=f"/data/{file}{query}", id=name) for name, (label, file) in DOWNLOADS.items()
        ],
        ids.SHARING: sharing.content(seen),
        ids.RESTATED: restated_table(seen, entries),
        ids.TABLE: figures_table(seen),
    }


def first(snapshot: Snapshot, view: View) -> str:
    """The same as HTML without a script: what it says, and the chart."""
    seen = snapshot.seen(view)
    parts = [
        *frame.banners(snapshot),
        html.Header(
            html.Div([html.P("Daybook", className="name"), html.P(frame.MOTTO, className="motto")]),
            className="masthead",
        ),
        html.H1(headline(seen), className="headline"),
        *ribbon(snapshot),
        html.Div(tiles(seen, snapshot), className="tiles"),
    ]
    drawn = (
        svg.drawing(chart.chart(seen, synthetic=snapshot.settings.synthetic), aria_hidden="true")
        if seen.now.dates
        else ""
    )
    return f"{markup(parts)}{drawn}{markup(html.P([caption(seen), ' ', text.CREDIT]))}"


def figure(seen: Seen, *, synthetic: bool) -> dict[str, Any]:
    """The chart, with what its picture needs where the page isn't: a name, a caption and the credit."""
    drawn = chart.chart(seen, synthetic=synthetic)
    drawn["layout"]["meta"] |= {
        "name": text.named(text.stem(seen, LOG if seen.view.scale == LOG else ""), synthetic=synthetic),
        "caption": caption(seen),
        "credit": "Synthetic sample: these figures are made up." if synthetic else text.CREDIT,
    }
    return drawn


def caption(seen: Seen) -> str:
    """What the chart shows, in words."""
    rows = seen.shown_rows
    if not rows:
        return f"{text.title(seen.view)}."
    known = seen.view.asof or max(row.recorded_at for row in rows).date()
    dotted = "" if seen.then is None else " Dotted: today's record."
    return (
        f"{text.title(seen.view)}. Data through {text.date(rows[-1].day.date)}, as known on "
        f"{text.date(known)} (UTC).{dotted}"
    )


def tiles(seen: Seen, snapshot: Snapshot) -> list[Component]:
    """The newest day's figures; of the record as it stood, where that is shown."""
    found = series.tiles(seen.shown_rows, seen.rows if seen.then else ())
    if not found:
        unread = snapshot.rows is None or seen.is_unread
        silence = "The figures can't be read now." if unread else "There are no figures yet."
        return [html.P(silence, className="empty")]
    # What is known of a source's last day is no news, however long ago it ended.
    is_news = seen.then is not None or not health.ended(snapshot)
    return [_tile(tile, is_past=seen.then is not None, is_news=is_news) for tile in found]


def ribbon(snapshot: Snapshot) -> list[Component]:
    """That sources have ended; nothing where none has."""
    end = health.ended(snapshot)
    return [html.P(end, className="ribbon")] if end else []


def _tile(tile: Tile, *, is_past: bool, is_news: bool) -> Component:
    places = 2 if tile.series == "fatality" else 0
    suffix = " %" if tile.series == "fatality" else ""
    name = html.H2(NAMES[tile.series])
    if tile.silent and tile.series == "fatality":
        return html.Div([name, html.P("Too few deaths for a ratio", className="silent")], className="tile")
    if tile.silent:
        since = "" if tile.since is None else f" since {text.date(tile.since)}"
        last = []
        if tile.since is not None:
            day = frame.day(tile.since - series.ONE_DAY)
            last = [html.P([f"Last: {text.number(tile.value, places)} on ", day])]
        return html.Div([name, html.P(f"Not reported{since}", className="silent"), *last], className="tile")
    return html.Div(
        [
            name,
            html.P(text.number(tile.value, places) + suffix, className="value"),
            *([html.P(_today(tile, places, suffix), className="now")] if is_past else []),
            *([html.P(f"{text.signed(tile.on_day, places)} on the day")] if is_news else []),
            *([html.P(f"{text.signed(tile.on_week, places)} on the week")] if is_news else []),
            html.P([frame.day(tile.date), *([] if is_news else [", the last day"])], className="when"),
        ],
        className=f"tile {tile.series}",
    )


def _today(tile: Tile, places: int, suffix: str) -> str:
    if tile.today is None or tile.value is None:
        return "not reported today"
    if text.number(tile.today, places) == text.number(tile.value, places):
        return "the same today"
    difference = text.signed(tile.today - tile.value, places)
    return f"today {text.number(tile.today, places)}{suffix}, {difference}"


def headline(seen: Seen) -> str:
    """The newest figures, each with its own date; of a past date what was known, and what is said today."""
    rows, asof = seen.shown_rows, seen.view.asof
    if asof is None:
        if not rows:
            return "COVID-19 in the United States"
        newest = rows[-1].day
        cases, deaths = text.number(newest.counts.cases), text.number(newest.counts.deaths)
        return f"{cases} cases and {deaths} deaths in the United States by {text.date(newest.date)}"
    if seen.is_unread:
        return f"What was known on {text.date(asof)} can't be read now."
    if not rows:
        return f"On {text.date(asof)} nothing had been recorded yet."
    day = rows[-1].day
    today = {row.day.date: row.day.counts.cases for row in seen.rows}.get(day.date)
    end = text.date(day.date)
    if day.date.year == asof.year:
        end = end.rpartition("\u00a0")[0]
    same = "Today we say the same."
    now = same if today == day.counts.cases else f"Today we say {text.number(today)} for that date."
    return f"On {text.date(asof)} the record ended on {end}, at {text.number(day.counts.cases)} cases. {now}"


def scrubber(entries: Sequence[Row], view: View) -> dict[str, Any]:
    """Where the scrubber stands among the dates on which something was entered; the last is today."""
    dates = series.moments(entries)
    last = max(len(dates) - 1, 0)
    place = last if view.asof is None else max(0, sum(date <= view.asof for date in dates[:-1]) - 1)
    return {
        ids.SCRUBBER: last == 0,
        ids.LAST_MOMENT: last,
        ids.MOMENT: place,
        ids.MOMENT_DATE: text.date(view.asof) if view.asof else "today",
    }


def worth_a_look(turns: Sequence[Turn], view: View) -> list[Component]:
    """The dates before the greatest restatements."""
    items = [
        html.Li(
            [
                frame.link(text.date(turn.before), frame.address(view, asof=turn.before), f"turn-{turn.on}"),
                f": a day later {turn.brief}",
            ]
        )
        for turn in turns
    ]
    return [html.P("Worth a look:"), html.Ul(items)] if items else []


def believed(seen: Seen, snapshot: Snapshot) -> list[Component]:
    """What is to be said of the period, and of the record as it stood; nothing when all is as usual."""
    sentences = [html.P(sentence, className="believed") for sentence in outside(seen)]
    if seen.view.known is not None:
        since = f"What was entered after {text.when(seen.view.known)} is left out here."
        newest = frame.link("To the newest record", frame.address(seen.view, known=None), "newest")
        sentences.append(html.P([since, " ", newest], className="believed"))
    if seen.view.asof is None:
        return list(sentences)
    today = frame.link("Back to today's record", frame.address(seen.view, asof=None), "today")
    trailing = " The store does not show every entry yet." if snapshot.entries_trailing else ""
    return [
        *sentences,
        html.P([_stood(seen, snapshot.entries or ()) + trailing, " ", today], className="believed"),
    ]


def outside(seen: Seen) -> list[str]:
    """What is wrong with the period that was chosen, and which days the record has."""
    start, end = seen.view.start, seen.view.end
    if not seen.rows or not (start or end):
        return []
    first, last = seen.rows[0].day.date, seen.rows[-1].day.date
    record = f"The record spans {text.date(first)} to {text.date(last)}."
    if start and end and start > end:
        return [f"From, {text.date(start)}, lies after To, {text.date(end)}: no day is between. {record}"]
    dates = [date for date in (start, end) if date and not first <= date <= last]
    beyond = " and ".join(map(text.date, dates))
    verb = "lies" if len(dates) == 1 else "lie"
    return [f"{beyond} {verb} outside the record. {record}"] if dates else []


def _stood(seen: Seen, entries: Sequence[Row]) -> str:
    asof = text.date(seen.view.asof or dt.date.min)
    if seen.is_unread:
        return (
            f"The entries can't be read now, so it is not known how the record stood when {asof} ended "
            "(UTC). Today's record is the pale line."
        )
    if not seen.rows_then:
        first = min((row.recorded_at for row in entries), default=None)
        since = f": the first entry was made on {text.when(first)}" if first else ""
        return f"Nothing had been entered when {asof} ended (UTC){since}. Today's record is the pale line."
    newest = max(row.recorded_at for row in entries)
    if seen.view.moment and newest.date() < seen.view.moment.date():
        return f"{asof} lies after the newest entry, of {text.when(newest)}: this is today's record."
    days = len({change.date for change in seen.restated})
    restated = f"{plural(days, 'day')} shown here {'was' if days == 1 else 'were'} restated later"
    how = "; dotted is today's record, filled the gap" if days else ""
    days_then = plural(len(seen.rows_then), "day")
    return f"The record as it stood when {asof} ended (UTC): {days_then}. {restated}{how}."


def sentences(seen: Seen) -> list[str]:
    """What is missing, and how to read what is there."""
    rows, found = seen.shown_rows, []
    missing = series.missing(rows)
    for figure in FIGURES:
        if unreported := series.unreported(rows, figure.name):
            is_open = len(unreported) == 1 and unreported[0].last == rows[-1].day.date
            when = f"since {text.date(unreported[0].first)}" if is_open else text.stretches(unreported)
            found.append(f"{figure.title}: not reported {when}. A gap, not a zero.")
    if missing:
        found.append(f"No figures for {text.stretches(missing)}.")
    if seen.pending:
        found.append(f"Published, not yet entered: {text.stretches(seen.pending)}.")
    return [*found, *text.notes(seen.view, seen.then or seen.now)]


def events(seen: Seen, addresses: Addresses = frame.HERE) -> list[Component]:
    """The record's own events, by the letters that they have in the chart."""
    days = {row.day.date for row in seen.rows}
    items = [
        html.Li(
            [
                frame.day(milestone.date, addresses=addresses)
                if milestone.date in days
                else text.date(milestone.date),
                f": {milestone.sentence}",
            ]
        )
        for milestone in seen.milestones
    ]
    if not items:
        return []
    return [html.P("Dotted rules, events of the record:"), html.Ol(items, type="a", className="events")]


def restated_table(seen: Seen, entries: Sequence[Row]) -> list[Component]:
    """Figures that were restated after the chosen date, each change by its own entry: the newest dates, and
    where to get all."""
    if not seen.restated:
        return []
    total = len(seen.restated)
    caption = f"Restated since then: {plural(total, 'figure')}"
    if total > MAX_RESTATED:
        caption = f"Restated since then: the newest {MAX_RESTATED} of {total:,} figures"
    href = "/data/restated.csv" + seen.view.query()
    return [
        html.H2("What was restated"),
        frame.table(
            [
                f"{caption}, {text.unit('cases', seen.view)} (",
                html.A("all as CSV", href=href, id="restated-csv"),
                ")",
            ],
            ["Date", "Figure", "Then", "Now", "Change", "Entered"],
            [_change(change, entries, seen.view) for change in reversed(seen.restated[-MAX_RESTATED:])],
            "restated",
            texts=(0, 1, 5),
        ),
    ]


def _change(change: Restated, entries: Sequence[Row], view: View) -> list[Any]:
    places = decimals(change.series, view)
    steps = series.steps(entries, change, view)
    return [
        frame.day(change.date, str(change.date)),
        NAMES[change.series],
        text.number(change.then, places),
        text.number(change.now, places),
        text.signed(chart.difference(change, view), places),
        [
            html.Div(
                text.moment(step.entered_at)
                + (f": {text.signed(step.change, places)}" if len(steps) > 1 else "")
            )
            for step in steps
        ],
    ]


def figures_table(seen: Seen) -> list[Component]:
    """What the chart shows, the newest date first, a page at a time; where the record as it stood is shown,
    from its own newest date back."""
    sides = [side for side in (seen.then, seen.now) if side is not None]
    places = range(len(seen.now.dates))
    if seen.rows_then:
        newest = seen.rows_then[-1].day.date
        places = [place for place in places if seen.now.dates[place] <= newest] or places
    if not places:
        return []
    pages = -(-len(places) // ROWS_PER_PAGE)
    page = min(seen.view.page, pages)
    start = (page - 1) * ROWS_PER_PAGE
    known = {row.day.date for row in seen.rows}
    rows = [
        [
            frame.day(seen.now.dates[place], str(seen.now.dates[place]))
            if seen.now.dates[place] in known
            else str(seen.now.dates[place]),
            *(
                _cell(name, side.figures[name][place], side.silences[name][place], seen.view)
                for side in sides
                for name in SERIES
            ),
        ]
        for place in places[::-1][start : start + ROWS_PER_PAGE]
    ]
    header = [NAMES[name] + (", %" if name == "fatality" else "") for name in SERIES]
    if seen.then is not None:
        header += [f"{title} today" for title in header]
    caption = (
        f"What the chart shows: {text.unit('cases', seen.view)}. "
        f"Days {start + 1}–{start + len(rows)} of {len(places)}, newest first"
    )
    return [
        html.H2("The table"),
        frame.table(caption, ["Date", *header], rows, "table"),
        _pages(seen.view, page, pages),
    ]


def _cell(name: str, value: Figure, silence: str, view: View) -> Any:
    if silence:
        return html.Span(silence, className="silence")
    return text.number(rounded(value, name, view), decimals(name, view))


def _pages(view: View, page: int, pages: int) -> Component:
    newer = [frame.link("Newer days", frame.address(view, page=page - 1), "newer")] if page > 1 else []
    older = [frame.link("Older days", frame.address(view, page=page + 1), "older")] if page < pages else []
    return html.Nav(
        [*newer, html.Span(f"Page {page} of {pages}"), *older],
        className="pages",
        **frame.aria(label="Pages of the table"),
    )
