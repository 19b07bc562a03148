"""What only the engine refuses, before anything is touched: types, protection, a name given twice."""

from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from deployment import MARKS, program
from pulumi.automation import CommandError

pytestmark = MARKS


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"protect": "perhaps"}, "protect"),
        ({"stale_after_hours": "many"}, "stale_after_hours"),
        ({"emails": "ada@example.org"}, "emails"),
        (
            {"shedule": "rate(1 day)"},
            "daybook:shedule: .* no such setting; the nearest is daybook:schedule\n",
        ),
        ({"stale_after_hours": 24}, "daybook:stale_after_hours 24: must be more than the 24 hours"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(deployment, settings, complaint):
    stack = deployment("dev", **settings)
    with pytest.raises(CommandError, match=complaint) as refused:
        stack.up()
    assert "Traceback" not in str(refused.value)
    assert stack.provider.calls == []


@pytest.mark.parametrize(
    "change", [{"name": "book"}, {"hash_key": "stack", "attributes": [{"name": "stack", "type": "S"}]}]
)
def test_a_change_that_would_cost_a_protected_stack_its_ledger_is_refused_by_the_preview(
    deployment, monkeypatch, change
):
    stack = deployment("prod")
    stack.up()
    declare_the_ledger(monkeypatch, **change)
    with pytest.raises(CommandError, match="protect"):
        stack.preview()


def test_a_resource_is_renamed_by_an_alias_and_by_nothing_else(deployment, monkeypatch):
    stack = deployment("dev")
    stack.up()
    declare_the_ledger(monkeypatch, name="book")
    with pytest.raises(CommandError, match="Table already exists"):
        stack.up()
    declare_the_ledger(monkeypatch, name="book", alias="ledger")
    assert stack.up() == {}


TABLE = aws.dynamodb.Table


def declare_the_ledger(
    monkeypatch, name: str = "ledger", alias: str | None = None, **properties: Any
) -> None:
    """As if infra/ledger.py said so."""

    def declared(part: str, *, opts: pulumi.ResourceOptions, **given: Any) -> aws.dynamodb.Table:
        if part != "ledger":
            return TABLE(part, opts=opts, **given)
        aliases = [pulumi.Alias(name=alias)] if alias else []
        more = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(aliases=aliases))
        return TABLE(name, opts=more, **given | properties)

    monkeypatch.setattr(aws.dynamodb, "Table", declared)


def test_two_resources_of_one_type_and_name_are_refused(deployment):
    def twice() -> None:
        program()
        aws.s3.Bucket("archive", bucket="daybook-dev-another")

    with pytest.raises(CommandError, match="Duplicate resource URN"):
        deployment("dev").up(twice)
