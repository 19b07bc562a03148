"""What a new run is, from what was read."""

import datetime as dt
from dataclasses import replace

import pytest
from builders import NOON, date, entries, entry, first_figures, jhu, nyt, run

from functions.errors import SourceRefused
from functions.new_run import MAX_WORDS, Known, basis, believed, unchanged
from functions.plausibility import figures_digest
from functions.transform import transform
from schemas.ledger import ACCEPTED, GONE, Acceptance, Head, Settled, Warning

HOUR = dt.timedelta(hours=1)
ADDRESSES = {"nyt": "https://a", "jhu": "https://b"}
ETAGS = {"nyt": '"1"', "jhu": '"2"'}


def published(*cases):
    """Both files; a count of None leaves its date out of both."""
    rows = [(date(number), count) for number, count in enumerate(cases, 1) if count is not None]
    files = {"nyt": nyt(*(f"{d},{c},0" for d, c in rows)), "jhu": jhu(*(f"{d},0" for d, _ in rows))}
    found = transform(files, NOON.date())
    return replace(found, days=tuple(replace(day, counts=first_figures(day.counts)) for day in found.days))


def known(*days, head=None, owing=()):
    return Known(head or Head(), entries(*days), owing)


def accepts(number, digest, reason="checked", at=NOON):
    return Acceptance(date(number), digest, reason, "r", (), at)


def test_what_is_not_acknowledged_is_pending_and_what_never_was_is_new():
    found = believed(run(), known(entry(1, 9), entry(2, 20)), published(10, 20, 30), [])
    assert found.pending == (date(1), date(3))
    assert (found.new, found.newest) == ({date(3): date(2)}, date(3))


def test_what_an_older_run_owes_is_pending_whatever_its_values_and_not_new_where_it_is_acknowledged():
    older = run([1, 2], time=NOON - HOUR, superseded=frozenset({date(2)}))
    ledger = known(entry(1, 10), entry(2, 20), owing=[older])
    assert ledger.owed == {date(1)}
    found = believed(run(), ledger, published(10, 20), [])
    assert (found.pending, found.new) == ((date(1),), {})


def test_what_an_older_run_owes_no_longer_is_not_pending():
    older = run([1], time=NOON - HOUR)
    held = entry(1, 10, older.version)
    assert believed(run(), known(held, owing=[older]), published(10), []).pending == ()


def test_a_date_first_published_behind_the_last_acknowledged_one_is_late():
    head = Head(last_acknowledged=date(3))
    found = believed(run(), known(entry(1, 10), entry(3, 30), head=head), published(10, 20, 30), [])
    assert found.begun == {f"late/{date(2)}"}


def test_remarks_that_people_know_of_stand_and_are_no_news():
    told = (Warning(f"gap/nyt/{date(2)}", "known"), Warning("behind/jhu", "over"))
    found = believed(run(), known(head=Head(told=told)), published(10, None, 30), [])
    assert found.begun == {f"gap/jhu/{date(2)}"}
    assert {warning.code for warning in found.warnings} == {f"gap/nyt/{date(2)}", f"gap/jhu/{date(2)}"}
    assert found.ended == ("over",)


def test_unbelievable_files_are_refused_with_every_reason():
    with pytest.raises(SourceRefused) as raised:
        believed(run(), known(), published(2_000, 20_000, 2), [])
    assert len(raised.value.reasons) == 2


def test_an_acceptance_of_exactly_these_values_is_told_with_the_operator_s_words():
    files = published(2_000, 20_000)
    accepted = accepts(2, figures_digest(files, date(2)), "w" * 600)
    (word,) = believed(run(), known(), files, [accepted]).accepted
    assert word.code == f"{ACCEPTED}2020-03-02/{accepted.digest}"
    assert word.text.startswith('nyt, row 3, 2020-03-02, cases: "20000" rises more than fourfold from')
    assert word.text.endswith(f'(accepted: "{"w" * MAX_WORDS}")')
    head = Head(told=(Warning(word.code, ""),))
    assert believed(run(), known(head=head), files, [accepted]).accepted == ()


def test_an_acceptance_of_other_values_is_none():
    with pytest.raises(SourceRefused):
        believed(run(), known(), published(2_000, 20_000), [accepts(2, "0" * 12)])


def test_an_accepted_withdrawal_is_told_once_and_names_each_file_that_the_date_is_missing_from():
    found = believed(run(), known(entry(1, 10), entry(2, 20)), published(10), [accepts(2, GONE)])
    (word,) = found.accepted
    assert word.code == f"{ACCEPTED}2020-03-02/{GONE}"
    assert word.text.startswith("nyt, 2020-03-02: is acknowledged, and missing from the file")
    assert "; jhu, 2020-03-02: is acknowledged, and missing from the file" in word.text
    assert found.pending == ()


def test_of_two_acceptances_of_a_date_only_the_one_that_fits_the_files_is_told():
    files = published(2_000, 20_000)
    fits = accepts(2, figures_digest(files, date(2)), "right")
    found = believed(run(), known(), files, [fits, accepts(2, "0" * 12, "wrong", NOON + HOUR)])
    assert [word.text.endswith('(accepted: "right")') for word in found.accepted] == [True]


def test_what_an_owing_run_found_and_could_not_tell_is_told_by_the_newer_one():
    late, word = Warning(f"late/{date(2)}", "late"), Warning(f"{ACCEPTED}x", "words")
    gap = Warning("gap/nyt/x", "of then")
    older = run(
        [1], time=NOON - HOUR, warnings=(late, gap), begun=frozenset({late.code, gap.code}), accepted=(word,)
    )
    found = believed(run(), known(owing=[older]), published(10, 20), [])
    assert (found.begun, found.accepted) == ({late.code}, (word,))
    told = Head(told=(late, Warning(word.code, "")))
    found = believed(run(), known(head=told, owing=[older]), published(10, 20), [])
    assert (found.begun, found.accepted) == (frozenset(), ())


def test_after_two_304s_the_run_has_nothing_pending_and_only_what_comes_of_time_is_new():
    settled = Settled(ADDRESSES, ETAGS, {"nyt": date(9), "jhu": dt.date(2020, 2, 1)}, "code", 0, 7)
    head = Head(newest=date(9), told=(Warning("behind/jhu", "known"), Warning("gap/nyt/x", "stands")))
    found = unchanged(run(), head, settled)
    assert (found.pending, found.files, found.newest, found.basis) == ((), {}, date(9), settled)
    assert (found.begun, found.ended) == ({"ended/jhu"}, ("known",))
    assert [warning.code for warning in found.warnings] == ["ended/jhu", "gap/nyt/x"]


def test_a_run_settles_its_sources_only_where_both_sent_an_etag():
    found = basis(run(code="c"), Head(acceptances=2), published(10, 20), ADDRESSES, ETAGS)
    assert found == Settled(ADDRESSES, ETAGS, {"nyt": date(2), "jhu": date(2)}, "c", 2)
    assert basis(run(), Head(), published(10), ADDRESSES, {}) is None
