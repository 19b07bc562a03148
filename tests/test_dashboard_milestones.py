"""What became of the record itself: which of its events are told, and where they stand in the chart."""

import datetime as dt

from dashboards import NOW, SETTINGS, counts, current, day, entries, row

from dashboard import chart
from dashboard.cache import Snapshot
from dashboard.milestones import Turn, milestones, turns
from dashboard.view import View
from storage.tables import Row

NOON = dt.time(12, tzinfo=dt.UTC)


def told(found: list[Row]) -> list[tuple[str, dt.date, str]]:
    return [(each.letter, each.date, each.sentence.replace("\xa0", " ")) for each in milestones(found)]


def test_the_dates_worth_a_look_are_those_before_the_greatest_restatements() -> None:
    found = entries()
    assert turns(found) == [Turn(dt.date(2020, 6, 19), dt.date(2020, 6, 20), 3, 1_234)]
    assert turns(found[:30]) == []


def test_the_record_s_own_events_are_its_restatements_and_the_figures_that_ended() -> None:
    assert told(entries()) == [
        (
            "a",
            dt.date(2020, 6, 9),
            "Recoveries are not reported by Johns Hopkins from here on; the last count is "
            f"{counts(99).recovered:,}.",
        ),
        ("b", dt.date(2020, 6, 20), "Cases restated: 3 days changed, by up to 1,234."),
    ]


def test_a_week_without_a_new_day_is_told_and_a_usual_one_is_not() -> None:
    late = [
        row(
            number,
            counts(number),
            dt.datetime.combine(day(max(number + 1, 30) if number > 20 else number + 1), NOON),
        )
        for number in range(60)
    ]
    assert told(late) == [
        ("a", day(22), "No new day was entered until 31 March 2020; then 9 days came at once.")
    ]


def test_a_record_that_was_never_rewritten_has_no_events() -> None:
    assert (
        told([row(number, counts(number), dt.datetime.combine(day(90), NOON)) for number in range(60)]) == []
    )
    assert told([]) == []


def test_each_event_has_a_rule_with_its_letter_and_near_ones_share_a_place() -> None:
    found = entries()
    snapshot = Snapshot(SETTINGS, NOW, tuple(current(found)), tuple(found), milestones=milestones(found))

    def letters(view: View) -> dict[str, str]:
        layout = chart.chart(snapshot.seen(view))["layout"]
        rules = [
            shape for shape in layout["shapes"] if shape["type"] == "line" and shape["line"]["dash"] == "dot"
        ]
        labels = {label["x"]: label["text"] for label in layout["annotations"] if label.get("y") == 1}
        assert len(rules) == sum(len(text.split()) for text in labels.values())
        return labels

    assert letters(View()) == {"2020-06-09": "a", "2020-06-20": "b"}
    assert letters(View(end=dt.date(2020, 6, 15))) == {"2020-06-09": "a"}
    long_ago = dt.date(2019, 1, 1)
    assert letters(View(end=long_ago)) == {}
    near = [milestones(found)[0], milestones(found)[1].__class__("b", dt.date(2020, 6, 11), "")]
    assert chart._milestones(near, (day(0), day(119)))[1][0]["text"] == "a b"
