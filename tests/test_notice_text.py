import datetime as dt
from pathlib import Path

import pytest
from builders import NOON, date, run

from functions import notice_text
from functions.changes import refused
from schemas.ledger import FAILED, INCOMPLETE, MAX_REASONS_SHOWN, Head, Reason, Warning
from schemas.notice import ALERTS, DAILY_REPORT, MAX_BODY, MAX_SMS, NoticeSchema


def only(notices):
    (notice,) = notices
    return notice


def bounded(notice):
    """The notice, within what SNS can carry."""
    NoticeSchema().load(vars(notice))
    return notice


def test_a_report_tells_rows_span_last_acknowledged_date_and_what_is_made_good():
    ended = run([1, 2, 3], inserted=frozenset({date(3)}), updated=frozenset({date(1), date(2)}))
    made_good = ["2020-03-09T12:00:00.000Z#x"]
    notice = bounded(notice_text.report(ended, Head(last_acknowledged=date(3)), made_good, "prod"))
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
    notice = bounded(notice_text.report(run(), Head(last_acknowledged=date(3)), (), "prod"))
    assert notice.subject == "Daybook: 0 rows inserted, 0 updated, through 2020-03-03"
    assert "The sources published nothing new and restated nothing." in notice.email


def test_warnings_are_told_when_they_begin_and_when_they_end():
    standing, begun = Warning("a", "an old one"), Warning("b", "a new one")
    found = run(warnings=(standing, begun), begun=frozenset({"b"}), ended=("one that is over",))
    text = notice_text.report(found, Head(), (), "prod").email
    assert "New warnings:\n- a new one\n" in text
    assert "No longer the case:\n- one that is over\n" in text
    assert "an old one" not in text
    assert "1 earlier warning still standing" in text


def test_an_alert_shows_the_first_twenty_reasons_and_how_many_more():
    reasons = [Reason("nyt", "is bad", number, value="x") for number in range(30)]
    notice = bounded(only(refused(Head(), run(), reasons, "prod").notices))
    assert notice.subject == "Daybook ALERT: the run of 2020-03-10 12:00 UTC failed"
    assert notice.email.count("is bad") == MAX_REASONS_SHOWN
    assert "- and 10 more reasons, kept in the archive" in notice.email
    assert "Nothing was written." in notice.email


@pytest.mark.parametrize("value", ["x" * 500, "naïve ☃ `tick`\n[x]", "\x1b[31mred", '"quoted"', ""])
def test_whatever_a_source_says_fits_into_every_message(value):
    reason = Reason("nyt", "is bad", 3, value + "!", value, value)
    notice = bounded(only(refused(Head(), run(), [reason], "prod").notices))
    assert len(notice.sms) <= MAX_SMS
    assert notice.email.replace("…", "").replace("\n", "").isprintable()
    assert "\x1b" not in notice.email
    assert len(str(reason)) < 200


def test_a_record_set_aside_is_told_with_where_its_bytes_are():
    notice = bounded(notice_text.set_aside("495", "r", date(1), "is no event", "prod"))
    assert notice.subject == "Daybook ALERT: a record that names 2020-03-01 was set aside"
    assert "rejected/495" in notice.email


@pytest.mark.parametrize(
    ("number", "run_name", "named"), [(None, None, "without a readable date"), (1, "r", "date")]
)
def test_a_record_set_aside_takes_nothing_from_the_record_and_says_so(number, run_name, named):
    notice = bounded(notice_text.set_aside("495", run_name, number and date(number), "x" * 5_000, "prod"))
    assert "No day is changed by it" in notice.email
    assert notice.email.count("x") < 2_000
    assert notice.run == run_name


def test_a_run_that_completes_late_says_so_and_what_became_of_every_pending_date():
    found = run(
        [1, 2, 3, 4],
        reason_count=1,
        reasons=("why",),
        inserted=frozenset({date(1)}),
        duplicate=frozenset({date(2)}),
        superseded=frozenset({date(3)}),
        failed=frozenset({date(4)}),
    )
    notice = bounded(notice_text.report(found, Head(), (), "prod"))
    assert "is complete, late." in notice.email
    for title in ("Known already", "Replaced by newer", "No longer published"):
        assert f"{title:<20}{1:>10}   2020-03-0" in notice.email
    assert notice.sms.endswith("Through none yet. 1 no longer published.")


def test_a_report_says_how_far_the_record_lags_behind_what_is_published():
    head = Head(last_acknowledged=date(3), newest=date(5))
    assert (
        "Newest published date: 2020-03-05, 2 days later" in notice_text.report(run([9]), head, (), "s").email
    )
    caught_up = Head(last_acknowledged=date(5), newest=date(5))
    assert "Newest published" not in notice_text.report(run([9]), caught_up, (), "s").email


def test_figures_taken_on_an_operator_s_word_are_told_with_the_word():
    found = run(accepted=(Warning("accepted/x", 'nyt: is bad (accepted: "checked")'),))
    text = notice_text.report(found, Head(), (), "prod").email
    assert 'Taken on an operator\'s word:\n- nyt: is bad (accepted: "checked")\n' in text


def test_an_alert_of_a_run_that_had_pending_dates_says_what_is_written_and_what_is_owed():
    found = run(
        [1, 2, 3], state=INCOMPLETE, reasons=("given up",), reason_count=1, updated=frozenset({date(1)})
    )
    notice = bounded(notice_text.alert(found, [date(2), date(3)], "prod"))
    assert (notice.topic, notice.subject) == (
        ALERTS,
        "Daybook ALERT: the run of 2020-03-10 12:00 UTC is incomplete",
    )
    assert "Rows written so far: 1\n" in notice.email
    assert (
        "Not entered yet: 2 days: 2020-03-02, 2020-03-03. The next run sends these days again" in notice.email
    )
    assert "Nothing was written" not in notice.email
    assert "Not entered yet" not in notice_text.alert(found, [], "prod").email


def test_an_alert_names_the_files_that_the_run_read():
    found = run(state=FAILED, reasons=("why",), reason_count=1, files={"nyt": "a" * 64})
    assert f"- nyt {'a' * 64}\n" in notice_text.alert(found, [], "prod").email


def test_a_batch_given_up_names_its_days_or_its_place_and_its_runs():
    first, second = run([1]), run([2], time=NOON + dt.timedelta(1), request="request-2")
    known = notice_text.undelivered("u/1", [first, second], [date(1), date(2)], "the place", "why", "prod")
    assert bounded(known).subject == "Daybook ALERT: 2 days could not be entered"
    assert f"Stack prod, runs {first.name}, {second.name}\n" in known.email
    gone = bounded(notice_text.undelivered("u/1", [first], (), "the place", "why", "prod"))
    assert gone.subject == "Daybook ALERT: a batch of records could not be entered"
    assert "The consumer could not enter the place.\n" in gone.email
    assert f"run {first.name}\n" in gone.email
    assert "their dates are not known. The next run sends them again." in gone.sms
    strange = bounded(notice_text.undelivered("u/1", [], (), "the place", "why", "prod"))
    assert "No run that the ledger knows sends these records again.\n" in strange.email


@pytest.mark.parametrize("topic", [DAILY_REPORT, ALERTS])
def test_a_test_message_says_that_nothing_has_happened(topic):
    notice = bounded(notice_text.trial(topic, "prod"))
    assert notice.topic == topic
    assert "Nothing has happened." in notice.email
    assert "Nothing has happened." in notice.sms


@pytest.mark.parametrize("letter", ["x", "…", "\U0001f600"])
def test_a_message_longer_than_its_channel_takes_is_cut_in_the_middle_and_says_so(letter):
    found = run(warnings=(Warning("a", letter * 100_000),), begun=frozenset("a"))
    text = notice_text.report(found, Head(), (), "prod").email
    assert len(text.encode()) <= MAX_BODY
    assert "cut here: the message was longer than SNS carries" in text
    assert text.startswith("The run of") and text.endswith(f"Stack prod, run {found.name}\n")


@pytest.mark.parametrize(
    ("notice", "look", "entry"),
    [
        (notice_text.alert(run(state=FAILED), (), "s"), "daybook runs --limit 3", "The run … failed"),
        (
            notice_text.alert(run([1], state=INCOMPLETE), (), "s"),
            "daybook days --pending",
            "The run … is incomplete",
        ),
        (notice_text.set_aside("4", None, None, "x", "s"), "daybook logs --since 1d", "… was set aside"),
        (
            notice_text.undelivered("u", (), (), "p", "x", "s"),
            "daybook logs --since 1d",
            "… could not be entered",
        ),
    ],
)
def test_every_alert_ends_with_the_next_step_and_an_entry_of_the_runbook(notice, look, entry):
    runbook = Path(notice_text.__file__).resolve().parents[1] / "docs" / "runbook.md"
    steps = bounded(notice).email.partition("\nNext:\n")[2]
    assert steps == f'- To look closer: {look}\n- The runbook, docs/runbook.md: "{entry}"\n'
    assert f"\n### {entry}\n" in runbook.read_text(encoding="utf-8")
    assert notice.sms.endswith(" Next: daybook status")


def test_an_alert_of_a_rejected_figure_names_the_command_that_accepts_it():
    reason = Reason("nyt", "is more than 20 % off the acknowledged 100", 3, "2020-03-04", "cases", "900")
    files = {"nyt": "a" * 64}
    notice = bounded(only(refused(Head(), run(files=files), [reason], "prod").notices))
    assert 'daybook accept 2020-03-04 --reason "..."; then daybook run --wait\n' in notice.email
