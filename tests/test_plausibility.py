import pytest
from builders import NOON, counts, date, entries, entry, jhu, nyt

from functions.plausibility import check, figures_digest
from functions.transform import transform
from schemas.ledger import GONE

TODAY = NOON.date()


def published(cases, recovered=None, deaths=0):
    """Both files with one row a figure, from the first date on; a figure of None leaves its date out."""
    recovered = [0] * len(cases) if recovered is None else recovered
    files = {
        "nyt": nyt(*(f"{date(n)},{value},{deaths}" for n, value in enumerate(cases, 1) if value is not None)),
        "jhu": jhu(*(f"{date(n)},{value}" for n, value in enumerate(recovered, 1) if value is not None)),
    }
    return transform(files, TODAY)


def reasons(found, acknowledged=(), accepted=()):
    return list(map(str, check(found, entries(*acknowledged), set(accepted))))


@pytest.mark.parametrize(
    ("previous", "value", "problem"),
    [
        (2_000, 1_599, "falls by more than 20 %"),
        (2_000, 1_600, None),
        (2_000, 8_001, "rises more than fourfold"),
        (2_000, 8_000, None),
        (100_000, 150_001, "rises by more than half"),
        (100_000, 150_000, None),
        (99_999, 150_001, None),
        (999, 1, None),
        (1, 999, None),
        (0, 1_000, "rises more than fourfold"),
        (20_000, 2_000, "falls by more than 20 %"),
        (20_000, 200_000, "rises more than fourfold"),
    ],
)
def test_a_figure_is_compared_with_the_previous_reported_day(previous, value, problem):
    found = reasons(published([previous, value]))
    assert [problem in reason for reason in found] == ([True] if problem else [])


@pytest.mark.parametrize(
    ("acknowledged", "value", "held"),
    [
        (10_000, 12_000, True),
        (10_000, 12_001, False),
        (10_000, 8_000, True),
        (10_000, 7_999, False),
        (900, 1, True),
    ],
)
def test_a_restatement_of_more_than_a_fifth_is_not_believed(acknowledged, value, held):
    found = reasons(published([value]), [entry(1, acknowledged)])
    leap = [reason for reason in found if "the acknowledged" in reason]
    assert bool(leap) is not held


def test_the_reason_names_file_row_date_field_and_value():
    (found,) = reasons(published([20_000, 2_000]))
    assert (
        found == 'nyt, row 3, 2020-03-02, cases: "2000" falls by more than 20 % from the 20,000 of 2020-03-01'
    )


def test_the_previous_reported_recovery_is_found_across_a_gap():
    (found,) = reasons(published([9_000, 9_000, 9_000], [5_000, 0, 1_000]))
    assert "recovered" in found
    assert "the 5,000 of 2020-03-01" in found


def test_an_acknowledged_date_missing_from_either_file_is_unbelievable_in_that_file():
    held = [entry(1, 10), entry(2, 20), entry(3, 30)]
    assert reasons(published([10, None, 30]), held) == [
        "nyt, 2020-03-02: is acknowledged, and missing from the file"
    ]
    (found,) = reasons(published([10, 20, 30], [0, 0, None]), held)
    assert found == "jhu, 2020-03-03: is acknowledged, and missing from the file"


def test_a_number_that_is_acknowledged_can_t_become_unreported():
    held = entry(2, 10, counts=counts(10, 0, 6))
    found = published([10, 10], [5, 0])
    assert any("is not reported any more; 6 is acknowledged" in reason for reason in reasons(found, [held]))


def test_every_reason_is_told():
    assert len(reasons(published([5_000, 500, 50_000], [4_000, 100, 9_000]))) == 4


def test_a_figure_once_acknowledged_is_not_questioned_again():
    held = [entry(1, 5_000), entry(2, 50_000)]
    assert reasons(published([5_000, 50_000]), held) == []


def test_a_new_date_before_an_acknowledged_one_must_fit_before_it():
    held = [entry(2, 20_000)]
    (found,) = reasons(published([90_000, 20_000]), held)
    assert found == 'nyt, row 2, 2020-03-01, cases: "90000" can\'t come before the 20,000 of 2020-03-02'
    assert reasons(published([19_000, 20_000]), held) == []


def test_an_accepted_figure_may_come_before_an_acknowledged_one_that_it_doesn_t_fit():
    found = published([90_000, 20_000])
    accepted = (date(1), figures_digest(found, date(1)))
    assert reasons(found, [entry(2, 20_000)], [accepted]) == []


def test_an_acknowledged_day_restated_a_little_is_not_held_against_a_leap_long_acknowledged():
    held = [entry(1, 5_000), entry(2, 50_000)]
    assert reasons(published([5_001, 50_000]), held) == []


def test_reasons_come_oldest_date_first():
    held = [entry(number, 10) for number in (1, 2, 3, 4)]
    found = reasons(published([10, 90_000, None, 10], [0, 0, 0, None]), held)
    assert [reason.split("2020-03-")[1][:2] for reason in found] == ["02", "02", "03", "04"]


def test_an_operator_s_acceptance_holds_for_exactly_that_value():
    found = published([5_000, 50_000])
    accepted = (date(2), figures_digest(found, date(2)))
    assert reasons(found, (), [accepted]) == []
    assert len(reasons(published([5_000, 50_001]), (), [accepted])) == 1


def test_an_accepted_withdrawal_is_not_a_reason():
    held = [entry(1, 10), entry(2, 20)]
    assert reasons(published([10]), held, [(date(2), GONE)]) == []
