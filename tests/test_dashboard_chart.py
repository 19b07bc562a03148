"""The chart, and the sentences around it."""

import datetime as dt
import json

import plotly.graph_objects as go
import pytest
from dashboards import NOW, RESTATED, SETTINGS, UNREPORTED_FROM, FakeReader, counts, day, run

from dashboard import text
from dashboard.cache import Details, Snapshot
from dashboard.chart import points, value_axis
from dashboard.pages import record
from dashboard.series import COUNTS, NAMES, POPULATION, SERIES
from dashboard.view import View


def latest(**more: object) -> Snapshot:
    reader = FakeReader()
    known: dict[str, object] = {
        "rows": tuple(reader.daily()),
        "entries": tuple(reader.entries()),
        "head": reader.head(),
    }
    return Snapshot(SETTINGS, NOW, **(known | more))  # type: ignore[arg-type]


def chart(**choice: object) -> dict[str, object]:
    return record.figure(latest().seen(View(**({"show": "total"} | choice))), synthetic=False)  # type: ignore[arg-type]


CHOICES = [
    {"show": show, "scale": scale, "per": per, "asof": asof}
    for show in ("total", "new", "average")
    for scale in ("linear", "log")
    for per in ("count", "per100k")
    for asof in (None, dt.date(2020, 6, 15))
]


@pytest.mark.parametrize("choice", CHOICES)
def test_plotly_takes_every_chart(choice: dict[str, object]) -> None:
    figure = chart(**choice)
    drawn = go.Figure(figure).to_dict()
    # hoversubplots and its like: a name that plotly doesn't know would have raised.
    bars = choice["show"] == "new" and choice["scale"] == "linear"  # each count's, with the average as a line
    traces = 2 * len(SERIES)  # what is drawn, and its words
    compared = len(SERIES) + 2 * len(COUNTS)  # the record of then; the gaps, and the strips of differences
    assert len(drawn["data"]) == traces + (compared if choice["asof"] else len(COUNTS) if bars else 0)
    json.dumps(figure, allow_nan=False)


def test_every_panel_has_the_store_s_values() -> None:
    figure = chart()
    for name in ("cases", "deaths", "recovered"):
        drawn = points(figure, NAMES[name])
        for row in latest().rows or ():
            assert drawn[row.day.date.isoformat()] == getattr(row.day.counts, name)


def test_unreported_recoveries_are_a_gap_with_a_ground_and_a_word() -> None:
    figure = chart()
    assert points(figure, "Recoveries")[UNREPORTED_FROM.isoformat()] is None
    layout = figure["layout"]
    assert any(shape["yref"] == "y3 domain" for shape in layout["shapes"])  # type: ignore[index]
    assert any(label["text"] == "not reported" for label in layout["annotations"])  # type: ignore[index]
    assert not any(trace.get("connectgaps") for trace in figure["data"])  # type: ignore[union-attr]


@pytest.mark.parametrize("choice", CHOICES)
def test_each_panel_has_words_and_a_number_at_every_date_and_nothing_else_speaks(
    choice: dict[str, object],
) -> None:
    figure = chart(**choice)
    for trace in figure["data"]:  # type: ignore[union-attr]
        if not trace["name"].endswith(" in words"):
            assert trace["hoverinfo"] == "skip"
            continue
        assert None not in trace["y"]
        assert len(trace["y"]) == len(trace["customdata"]) == 120
        assert "" not in trace["customdata"]
    (recoveries,) = (trace for trace in figure["data"] if trace["name"] == "Recoveries in words")  # type: ignore[index,union-attr]
    assert recoveries["customdata"][100] == "not reported"


def test_a_logarithm_leaves_out_zero_and_says_so() -> None:
    seen = latest().seen(View(show="total", scale="log"))
    assert seen.now.figures["deaths"][0] == 0
    figure = record.figure(seen, synthetic=False)
    assert points(figure, "Deaths")["2020-03-01"] is None
    assert "left out of the drawing" in text.notes(seen.view, seen.now)[0]
    assert figure["layout"]["yaxis"]["type"] == "log"
    assert figure["layout"][f"yaxis{len(SERIES)}"]["type"] == "linear"


def test_per_100_000_names_the_population_and_its_year() -> None:
    note, _ = text.notes(View(show="total", per="per100k"), latest().seen(View(show="total")).now)
    assert f"{POPULATION:,}" in note
    assert "2020 census" in note


def test_the_record_as_it_stood_lies_over_today_s_and_the_gap_is_filled_and_labelled() -> None:
    figure = chart(asof=dt.date(2020, 6, 15))
    number = (RESTATED[0] - day(0)).days
    date = RESTATED[0].isoformat()
    assert points(figure, "Cases")[date] == counts(number).cases
    assert points(figure, "Cases today")[date] == counts(number).cases + 1_234
    dates = [date.isoformat() for date in RESTATED]
    assert (
        points(figure, "Cases restated") == points(figure, "Cases, now − then") == dict.fromkeys(dates, 1_234)
    )
    (gap,) = (trace for trace in figure["data"] if trace["name"] == "Cases restated")  # type: ignore[index,union-attr]
    assert gap["base"] == [counts((date - day(0)).days).cases for date in RESTATED]
    labels = [label["text"] for label in figure["layout"]["annotations"]]  # type: ignore[index]
    assert "the most: <b>+1,234</b>, 10\u00a0Apr\u00a02020" in labels
    assert "the record of 15\u00a0Jun\u00a02020 ends" in labels
    (spoken,) = (trace for trace in figure["data"] if trace["name"] == "Cases in words")  # type: ignore[index,union-attr]
    assert spoken["customdata"][number] == (
        f"{counts(number).cases:,} then, {counts(number).cases + 1_234:,} now,"
        "<br>last entered 20\u00a0June\u00a02020, 12:00\u00a0UTC"
    )
    names = [trace["name"] for trace in figure["data"]]  # type: ignore[index,union-attr]
    assert names.index("Cases today") < names.index("Cases")


def test_entries_that_can_t_be_read_are_not_taken_for_none() -> None:
    found = latest(entries=None)
    seen = found.seen(View(asof=dt.date(2020, 6, 15)))
    assert "The entries can't be read now" in str(record.believed(seen, found))
    assert go.Figure(record.figure(seen, synthetic=False))
    nothing = latest(entries=())
    seen = nothing.seen(View(asof=dt.date(2020, 6, 15)))
    assert "Nothing had been entered" in str(record.believed(seen, nothing))


def test_days_not_yet_entered_have_a_ground_on_every_panel() -> None:
    owing = run(state="open", pending=tuple(map(day, range(120, 126))))
    found = latest(details=Details((), (), (owing,), {}))
    figure = record.figure(found.seen(View(span="30")), synthetic=False)
    assert any(shape["yref"] == "paper" for shape in figure["layout"]["shapes"])
    assert any("entered" in label["text"] for label in figure["layout"]["annotations"])


@pytest.mark.parametrize("days", [1, 3])
def test_a_period_of_a_few_days_has_a_tick_a_day(days: int) -> None:
    axis = chart(start=day(60), end=day(59 + days))["layout"]["xaxis"]  # type: ignore[index]
    assert (axis["tick0"], axis["dtick"]) == (day(60).isoformat(), 24 * 60 * 60 * 1000)


def test_an_axis_has_no_ticks_without_values_no_half_persons_and_whole_numbers_on_a_logarithm() -> None:
    assert value_axis("deaths", (0, 1), View(show="total"), [])["showticklabels"] is False
    assert value_axis("deaths", (0, 1), View(show="total"), [0, 3])["dtick"] == 1
    assert "dtick" not in value_axis("deaths", (0, 1), View(show="average"), [0, 3])
    logarithm = View(show="total", scale="log")
    assert "2k" in value_axis("deaths", (0, 1), logarithm, [400, 9_000])["ticktext"]
    assert value_axis("deaths", (0, 1), logarithm, [60_330, 61_140])["dtick"] == "L200"
    assert "60k" not in value_axis("deaths", (0, 1), logarithm, [61_140])["ticktext"]
    assert "tickvals" not in value_axis("deaths", (0, 1), logarithm, [1, 61_140])


def test_a_made_up_record_says_so_in_the_picture() -> None:
    figure = record.figure(latest().seen(View(show="total")), synthetic=True)
    assert sum("SYNTHETIC" in label["text"] for label in figure["layout"]["annotations"]) == len(SERIES)
    assert figure["layout"]["meta"]["synthetic"] is True


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, "±0"), (-0.001, "±0"), (5, "+5"), (-5, "−5"), (1234, "+1,234"), (None, "not known")],
)
def test_a_change_has_its_sign(value: float | None, written: str) -> None:
    assert text.signed(value) == written
