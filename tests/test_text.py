"""How values stand in a text for people."""

import datetime as dt

import pytest

from schemas.text import days, one_line, plural, quoted, ranges, span, without_account

ACCOUNT = "123456789012"
REQUEST = "c9b8fa9f-5a7f-4ad0-af9c-0c604cde93a5"


def test_a_value_is_shown_quoted_on_one_line_and_cut_to_forty_characters():
    assert quoted("a\nb") == '"a\\nb"'
    assert quoted("y" * 41) == '"' + "y" * 40 + '…"'
    assert quoted("y" * 40) == '"' + "y" * 40 + '"'
    assert quoted("\x1b[31m") == '"\\x1b[31m"'


def test_a_line_holds_no_line_end_and_moves_no_cursor():
    assert one_line("a\nb\x1b[2Jc\u202ed") == "a?b?[2Jc?d"


@pytest.mark.parametrize(
    ("count", "word", "text"),
    [(1, "day", "1 day"), (0, "day", "0 days"), (1_200, "day", "1,200 days"), (2, "entry", "2 entries")],
)
def test_a_count_stands_with_its_word(count, word, text):
    assert plural(count, word) == text


def test_consecutive_dates_are_a_stretch_whatever_their_order():
    found = [dt.date(2020, 3, day) for day in (5, 1, 2, 9, 3)]
    assert [span(*stretch) for stretch in ranges(found)] == [
        "2020-03-01 to 2020-03-03",
        "2020-03-05",
        "2020-03-09",
    ]
    assert list(ranges([])) == []


def test_a_long_list_of_days_is_cut_and_says_how_many_there_are():
    found = days(dt.date(2020, 1, 1) + dt.timedelta(days=n) for n in range(100))
    assert found.startswith("100 days: 2020-01-01, 2020-01-02, ")
    assert found.endswith(" … 2020-04-09")
    assert days([]) == ""


ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/daybook-prod-consumer/daybook-prod-consumer"
# As AWS words them: service, error, and what it names.
ERRORS = [
    f"An error occurred (AccessDeniedException) when calling the WriteRecords operation: User: {ROLE} is not "
    f"authorized to perform: timestream:WriteRecords on resource: arn:aws:timestream:us-east-1:{ACCOUNT}:"
    "database/daybook/table/daily because no identity-based policy allows the timestream:WriteRecords action",
    f"User: arn:aws-us-gov:iam::{ACCOUNT}:user/daybook-prod-consumer is not authorized to perform: "
    "sns:Publish",
    f"An error occurred (ThrottlingException): Rate exceeded (Service: DynamoDb, Status Code: 400, "
    f"Request ID: {REQUEST}) (SDK Attempt Count: 3)",
    "An error occurred (InternalServerError): Internal server error (Service: AmazonDynamoDBv2; Status Code: "
    "500; Request ID: UP1AN8P9DFTGHAU3CHRM3JB1GJVV4KQNSO5AEMVJF66Q9ASUAAJG; Proxy: null)",
    f"Requested resource not found: Table: arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/daybook not found",
    f"The role defined for the function cannot be assumed by Lambda: arn:aws:iam::{ACCOUNT}:role/"
    "daybook-prod-consumer",
    f'{{"requestId":"{REQUEST}","accountId":"{ACCOUNT}"}}',
    f"RequestId: {REQUEST} Error: Task timed out after 120.00 seconds",
    f"RequestId: {REQUEST.upper()} Process exited before completing request",
    f"Stream daybook-events under account {ACCOUNT} not found.",
    f"The bucket {ACCOUNT}-archive is not yours",
    "Unable to assume role/daybook-prod-consumer, RequestId: 7KM2WQ9X4B8N1C3D",
    f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/queue: cannot connect",
]


@pytest.mark.parametrize("error", ERRORS)
def test_what_aws_says_keeps_its_sense_and_loses_arn_account_role_and_request_id(error):
    text = without_account(error)
    for word in (ACCOUNT, "arn:", "prod-consumer", REQUEST, REQUEST.upper(), "UP1AN8P9", "7KM2WQ9X"):
        assert word not in text
    assert "…" in text


@pytest.mark.parametrize(
    "text",
    [
        "given up after 3 attempts: nyt at https://a.org/us.csv: answered 404",
        "the 100,000 of 2020-03-01",
        "2 records, sequence numbers 49590338271 to 49590338272",
        "2020-03-10T12:00:00.000Z",
        "1583841600000",
    ],
)
def test_what_names_no_account_stays_as_it_is(text):
    assert without_account(text) == text
