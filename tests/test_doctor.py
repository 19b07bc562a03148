"""`doctor` in an account that Timestream refuses: before a stack is there, it says which line to change."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from ops.commands.doctor import _concurrency, _timestream, examine
from ops.errors import CONFIGURATION, Problem
from ops.find_stack import session

LINE = "use DynamoDB: pulumi config set daybook:store dynamodb"
REFUSED = ClientError(
    {
        "Error": {
            "Code": "AccessDeniedException",
            "Message": "Only existing Timestream for LiveAnalytics customers can access the service.",
        }
    },
    "DescribeEndpoints",
)
NO_ENDPOINT = EndpointConnectionError(endpoint_url="https://ingest.timestream.eu-north-1.amazonaws.com")


class Account:
    """A boto3 session of an account."""

    def __init__(
        self,
        timestream: Exception | None = None,
        unreserved: int = 10,
        region: str | None = "us-east-1",
        credentials: str | None = "some",
    ) -> None:
        self.region_name, self._credentials = region, credentials
        self._services = {
            "timestream-write": SimpleNamespace(list_databases=raising(timestream)),
            "lambda": SimpleNamespace(
                get_account_settings=lambda: {"AccountLimit": {"UnreservedConcurrentExecutions": unreserved}}
            ),
            "sts": SimpleNamespace(get_caller_identity=lambda: {"Arn": "arn:aws:iam::123456789012:user/ada"}),
        }

    def get_credentials(self):
        return self._credentials

    def client(self, service):
        return self._services[service]


def raising(error: Exception | None) -> Any:
    def list_databases(**_: Any) -> dict[str, Any]:
        if error:
            raise error
        return {"Databases": []}

    return list_databases


def denied(message: str) -> ClientError:
    return ClientError({"Error": {"Code": "AccessDeniedException", "Message": message}}, "ListDatabases")


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (REFUSED, f"it is closed to new customers; {LINE}"),
        (NO_ENDPOINT, f"this region may not have it; {LINE}; or take another: AWS_REGION"),
        (
            denied("User: x is not authorized to perform: timestream:ListDatabases"),
            "see the rights of your role",
        ),
    ],
)
def test_what_keeps_from_timestream_is_told_apart(error, remedy):
    result = _timestream(Account(timestream=error).client)
    assert (result.state, result.what, result.remedy) == ("FAIL", "Timestream for LiveAnalytics", remedy)
    assert str(error)[:60] in result.found


@pytest.mark.parametrize(("unreserved", "state"), [(10, "WARN"), (50, "WARN"), (100, "WARN"), (101, "PASS")])
def test_reserving_an_execution_takes_more_than_lambda_keeps_unreserved(unreserved, state):
    assert _concurrency(Account(unreserved=unreserved).client).state == state


def examined(account: Any, monkeypatch) -> dict[str, Any]:
    """What doctor says of an account without a stack."""

    def no_stack() -> Any:
        raise Problem("There is no stack.", remedy="pulumi up", code=CONFIGURATION)

    monkeypatch.setattr("ops.commands.doctor.session", lambda: account)
    return {result.what: result for result in examine(no_stack)}


def test_what_a_first_deployment_would_meet_is_said_before_there_is_a_stack(monkeypatch, capsys):
    results = examined(Account(timestream=REFUSED), monkeypatch)
    assert results["stack"].state == results["Timestream for LiveAnalytics"].state == "FAIL"
    assert LINE in results["Timestream for LiveAnalytics"].remedy
    assert "daybook:reserve_concurrency" in results["concurrency limit"].remedy
    assert "daybook:front none" in results["CloudFront"].remedy


def test_a_missing_region_is_called_that_and_no_closed_service(monkeypatch, capsys):
    results = examined(Account(region=None), monkeypatch)
    assert results["region"].remedy == "export AWS_REGION=us-east-1"
    assert "Timestream for LiveAnalytics" not in results


def test_missing_credentials_are_called_that(monkeypatch, capsys):
    assert examined(Account(credentials=None), monkeypatch)["credentials"].found == "none"


@pytest.mark.parametrize(
    ("environment", "region"),
    [
        ({"AWS_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-2"),
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-1"),
        ({}, "us-west-2"),
    ],
)
def test_the_region_is_the_environment_s_by_either_name_or_the_stack_s(
    environment, region, monkeypatch, tmp_path
):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Pulumi.prod.yaml").write_text("config:\n  aws:region: us-west-2\n")
    assert session("prod").region_name == region
