import datetime as dt

import pytest
from builders import NOON, date, run
from functions.outcome import completed, refused
from schemas.run import MAX_REASONS_SHOWN, Head, Reason, Warning, shown

from functions import messages
from schemas.notice import MAX_SMS, NoticeSchema


def bounded(notice):
    """The notice, within what SNS can carry."""
    NoticeSchema().load(vars(notice))
    return notice


def test_a_report_tells_rows_span_last_acknowledged_date_and_what_is_made_good():
    ended = run([1, 2, 3], inserted=frozenset({date(3)}), updated=frozenset({date(1), date(2)}))
    head = Head(last_acknowledged=date(3), failures=("2020-03-09T12:00:00.000Z#x",))
    notice = bounded(messages.report(ended, head, "prod"))
    assert notice.subject == "Daybook: 1 row inserted, 2 updated, through 2020-03-03"
    assert notice.email == (
        "The run of 2020-03-10 12:00 UTC is complete.\n"
        "\n"
        "Rows inserted                1   2020-03-03\n"
        "Rows updated                 2   2020-03-01 to 2020-03-02\n"
        "\n"
        "Last acknowledged date: 2020-03-03\n"
        "\n"
        "This makes good what failed before: 2020-03-09 12:00 UTC.\n"
        "\n"
        "Stack prod, run 2020-03-10T12:00:00.000Z#request-1\n"
    )
    assert notice.sms == "Daybook: 1 inserted, 2 updated (2020-03-01 to 2020-03-03). Through 2020-03-03."


def test_a_report_of_nothing_says_so():
    notice = bounded(messages.report(run(), Head(last_acknowledged=date(3)), "prod"))
    assert notice.subject == "Daybook: 0 rows inserted, 0 updated, through 2020-03-03"
    assert "The sources published nothing new and restated nothing." in notice.email


def test_warnings_are_told_when_they_begin_and_when_they_end():
    standing, begun = Warning("a", "an old one"), Warning("b", "a new one")
    found = run(warnings=(standing, begun), begun=frozenset({"b"}), ended=("one that is over",))
    text = messages.report(found, Head(), "prod").email
    assert "New warnings:\n- a new one\n" in text
    assert "No longer the case:\n- one that is over\n" in text
    assert "an old one" not in text


def test_an_alert_shows_the_first_twenty_reasons_and_how_many_more():
    reasons = [Reason("nyt", "is bad", number, value="x") for number in range(30)]
    notice = bounded(refused(run(), Head(), reasons, "prod").notice)
    assert notice.subject == "Daybook ALERT: the run of 2020-03-10 12:00 UTC failed"
    assert notice.email.count("is bad") == MAX_REASONS_SHOWN
    assert "- and 10 more reasons, kept in the archive" in notice.email
    assert "Nothing was written." in notice.email


@pytest.mark.parametrize("value", ["x" * 500, "naïve ☃ `tick`\n[x]", "\x1b[31mred", '"quoted"', ""])
def test_whatever_a_source_says_fits_into_every_message(value):
    reason = Reason("nyt", "is bad", 3, value + "!", value, value)
    notice = bounded(refused(run(), Head(), [reason], "prod").notice)
    assert len(notice.sms) <= MAX_SMS
    assert notice.email.replace("…", "").replace("\n", "").isprintable()
    assert "\x1b" not in notice.email
    assert len(str(reason)) < 200


def test_a_value_is_shown_quoted_on_one_line_and_cut_to_forty_characters():
    assert shown("a\nb") == '"a\\nb"'
    assert shown("y" * 41) == '"' + "y" * 40 + '…"'
    assert shown("y" * 40) == '"' + "y" * 40 + '"'


def test_a_long_list_of_days_is_cut_and_says_how_many_there_are():
    found = messages.days(dt.date(2020, 1, 1) + dt.timedelta(days=n) for n in range(100))
    assert found.startswith("100 days: 2020-01-01, 2020-01-02, ")
    assert found.endswith(" … 2020-04-09")


def test_a_record_set_aside_is_told_with_where_its_bytes_are():
    notice = bounded(messages.set_aside("495", "r", date(1), "is no event", "prod"))
    assert notice.subject == "Daybook ALERT: the record of 2020-03-01 was set aside"
    assert "rejected/495" in notice.email


def test_only_a_run_without_a_failed_date_and_alone_settles_the_sources():
    done = run([1], inserted=frozenset({date(1)}), etags={"nyt": "a", "jhu": "b"}, code="c")
    settled = completed(done, Head(stamp=7), NOON, "s").head.settled
    assert settled
    assert settled.stamp == 7
    failed = run([1], failed=frozenset({date(1)}), etags={"nyt": "a", "jhu": "b"})
    assert completed(failed, Head(), NOON, "s").head.settled is None
    other = Head(open=frozenset({done.name, "another"}))
    assert completed(done, other, NOON, "s").head.settled is None
    assert completed(run([1], inserted=frozenset({date(1)})), Head(), NOON, "s").head.settled is None
