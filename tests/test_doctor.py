"""`doctor` in an account that Timestream refuses: before a stack is there, it says which line to change."""

import json
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from ops.doctor import _timestream, doctor
from ops.errors import CONFIGURATION, Problem

LINE = "pulumi config set daybook:store dynamodb"
REFUSED = ClientError(
    {
        "Error": {
            "Code": "AccessDeniedException",
            "Message": "Only existing Timestream for LiveAnalytics customers can access the service.",
        }
    },
    "DescribeEndpoints",
)
NO_REGION = EndpointConnectionError(endpoint_url="https://ingest.timestream.eu-north-1.amazonaws.com")


def answering(error: Exception | None) -> Any:
    def list_databases(**_: Any) -> dict[str, Any]:
        if error:
            raise error
        return {"Databases": []}

    return lambda _service: SimpleNamespace(list_databases=list_databases)


@pytest.mark.parametrize("error", [REFUSED, NO_REGION])
def test_an_account_or_a_region_that_is_refused_is_told_the_line_to_change(error):
    result = _timestream(answering(error))
    assert (result.state, result.what) == ("FAIL", "Timestream for LiveAnalytics")
    assert LINE in result.remedy
    assert str(error)[:60] in result.found


def test_an_account_that_may_use_it_passes():
    assert _timestream(answering(None)).state == "PASS"


def test_it_is_said_before_there_is_a_stack(monkeypatch, capsys):
    def no_stack() -> Any:
        raise Problem("There is no stack.", remedy="pulumi up", code=CONFIGURATION)

    monkeypatch.setattr(boto3, "Session", lambda: SimpleNamespace(get_credentials=lambda: "some"))
    monkeypatch.setattr(boto3, "client", answering(REFUSED))
    assert doctor(no_stack, as_data=True) == CONFIGURATION
    found = {one["what"]: one for one in json.loads(capsys.readouterr().out)}
    assert found["stack"]["state"] == found["Timestream for LiveAnalytics"]["state"] == "FAIL"
    assert LINE in found["Timestream for LiveAnalytics"]["remedy"]
