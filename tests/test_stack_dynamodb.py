"""The stack whose tables are in DynamoDB, and how an account is told that it needs that one."""

from typing import Any

import grpc
import pytest
from pulumi.runtime.mocks import MockCallArgs
from test_stack import CONFIG, Recorder, run

from dashboard.settings import Settings as DashboardSettings
from functions.settings import ConsumerSettings
from infra.settings import ConfigurationError
from local.stack.program import run_program


@pytest.fixture(scope="module")
def stack() -> Recorder:
    return run(**CONFIG, store="dynamodb")


def test_nothing_of_timestream_is_declared_or_granted(stack):
    kinds = {kind for kind, _, _ in stack.resources}
    assert not [kind for kind in kinds if "timestream" in kind]
    assert set(stack.all("s3/bucket:Bucket")) == {"archive", "bundles"}
    assert not [
        action
        for part in ("fetcher", "consumer", "dashboard")
        for action in stack.rights(part)
        if "timestr" in action
    ]


@pytest.mark.parametrize("name", ["daily", "revisions"])
def test_its_tables_are_backed_up_and_can_t_be_deleted_by_mistake(stack, name):
    table = stack.one("dynamodb/table:Table", name)
    assert table["name"] == f"daybook-test-{name}"
    assert (table["hashKey"], table["rangeKey"]) == ("series", "entry")
    assert table["billingMode"] == "PAY_PER_REQUEST"
    assert table["pointInTimeRecovery"] == {"enabled": True}
    assert table["deletionProtectionEnabled"] is True


def test_the_consumer_may_put_rows_and_nothing_else_with_them(stack):
    ledger = stack.arn("dynamodb/table:Table", "ledger")
    tables = [stack.arn("dynamodb/table:Table", name) for name in ("daily", "revisions")]
    of_tables = {action for action, resources in stack.rights("consumer").items() if tables[0] in resources}
    assert of_tables == {"dynamodb:PutItem"}
    assert stack.rights("consumer")["dynamodb:PutItem"] == [ledger, *tables]


def test_functions_and_dashboard_are_told_where_the_tables_are(stack):
    told = ConsumerSettings.read(
        stack.one("lambda/function:Function", "consumer")["environment"]["variables"]
    )
    assert (told.store, told.daily_table, told.revisions_table) == (
        "dynamodb",
        "daybook-test-daily",
        "daybook-test-revisions",
    )
    dashboard = DashboardSettings.read(stack.outputs["dashboard_environment"])
    assert (dashboard.store, dashboard.daily_table) == ("dynamodb", "daybook-test-daily")
    assert all(stack.outputs["dashboard_environment"].values()), "Elastic Beanstalk takes no empty value"


class Answered(grpc.RpcError):
    """As the engine passes on what AWS answered to a question."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        return str(self)


class Refused(Recorder):
    """An account that never used Timestream."""

    problem = (
        "AccessDeniedException: Only existing Timestream for LiveAnalytics customers can access the service."
    )

    def call(self, args: MockCallArgs) -> Any:
        if "timestream" in args.token:
            raise Answered(self.problem)
        return super().call(args)


def test_an_account_that_timestream_refuses_is_told_the_line_to_change_before_anything_is_made():
    refused = Refused()
    with pytest.raises(ConfigurationError) as raised:
        run_program(refused, "test", CONFIG)
    assert "admits no new customers" in str(raised.value)
    assert "pulumi config set daybook:store dynamodb" in str(raised.value)
    assert [kind for kind, _, _ in refused.resources if kind.startswith("aws:")] == []


def test_an_account_without_a_database_yet_is_not_refused():
    class New(Refused):
        problem = "ResourceNotFoundException: The database daybook-test does not exist."

    new = New()
    run_program(new, "test", CONFIG)
    assert new.all("timestreamwrite/database:Database")


class Elsewhere(Recorder):
    def call(self, args: MockCallArgs) -> Any:
        return ({"region": "eu-north-1"}, []) if "getRegion" in args.token else super().call(args)


def test_a_region_without_timestream_is_told_before_anything_is_made():
    elsewhere = Elsewhere()
    with pytest.raises(ConfigurationError, match="eu-north-1: there is no Timestream"):
        run_program(elsewhere, "test", CONFIG)
    assert [kind for kind, _, _ in elsewhere.resources if kind.startswith("aws:")] == []
    run_program(Elsewhere(), "test", {**CONFIG, "store": "dynamodb"})


def test_another_store_is_a_clear_error():
    with pytest.raises(ConfigurationError, match="daybook:store 'postgres': is none of timestream, dynamodb"):
        run(**CONFIG, store="postgres")
