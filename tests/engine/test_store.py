"""Another store for a stack that has one: on dev the tables are exchanged, on prod the old ones stay."""

import shlex

import pytest
from deployment import MARKS
from documented import commands
from pulumi.automation import CommandError
from test_ops_commands import CASES, Operated

from local.up import reachable

pytestmark = MARKS

TABLES = [
    "timestreamwrite/database:Database tables",
    "timestreamwrite/table:Table daily",
    "timestreamwrite/table:Table revisions",
]


def test_on_a_stack_that_isn_t_protected_the_tables_are_exchanged(deployment):
    stack = deployment("dev")
    stack.up()
    stack.set(store="dynamodb")
    stack.up()
    assert set(TABLES) <= set(stack.provider.resources("delete"))
    assert sorted(stack.provider.resources("create")) == [
        "dynamodb/table:Table daily",
        "dynamodb/table:Table revisions",
    ]
    assert stack.emulator.client("timestream-write").list_databases()["Databases"] == []
    stack.set(store="timestream")
    stack.up()
    assert stack.up() == {}


def test_on_a_protected_stack_the_preview_refuses_before_anything_is_touched(deployment):
    stack = deployment("prod")
    stack.up()
    stack.set(store="dynamodb")
    with pytest.raises(CommandError, match="protect"):
        stack.preview()
    stack.set(store="timestream")
    assert stack.up() == {}


def test_the_documented_way_to_another_store_leaves_the_old_tables_and_fills_the_new(
    deployment, publisher, tmp_path
):
    stack = deployment("prod")
    stack.up()
    with stack.running(publisher) as daybook:
        daybook.publish(CASES)
        daybook.run()
        rows = daybook.daily()
    for command in commands("deploying.md", "## Another store"):
        match shlex.split(command):
            case ["pulumi", *arguments]:
                stack.cli(*arguments)
            case ["make", "deploy", "STACK=prod"]:
                stack.up()
                assert not set(TABLES) & set(stack.provider.resources("delete"))
            case ["daybook", "--stack", "prod", *arguments]:
                with stack.running(publisher) as daybook, reachable(daybook.cloud, tmp_path) as asked:
                    assert daybook.cloud.stack.exports["store"] == "dynamodb"
                    assert daybook.daily() == {}
                    code, told, errors = Operated(daybook, tmp_path, asked).ops(*arguments, "--yes")
                    assert code == 0, (told, errors)
                    assert daybook.daily() == rows
                    daybook.agrees()
            case unknown:
                pytest.fail(f"{unknown} is typed by no test")
    held = {item["urn"].rpartition("::")[2] for item in stack.resources().values() if item.get("protect")}
    assert held == {"archive", "ledger", "daily", "revisions"}
    tables = stack.emulator.client("timestream-write").list_tables(DatabaseName="daybook-prod")["Tables"]
    assert [table["TableName"] for table in tables] == ["daily", "revisions"]
    assert stack.up() == {}
