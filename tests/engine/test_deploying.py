"""`pulumi up` by the real engine, into the local cloud: what it makes runs, and what it changes is little."""

import shutil

import pytest
from deployment import MARKS, Deployment
from pulumi.automation import CommandError

import infra.code
from local.stack.program import ROOT

pytestmark = MARKS

STORES = ("timestream", "dynamodb")
FUNCTIONS = [f"lambda/function:Function {name}" for name in ("consumer", "fetcher", "reporter")]
MAPPING = "lambda/eventSourceMapping:EventSourceMapping consumer"
FETCHER = "lambda/function:Function fetcher"
SCHEDULE = "scheduler/schedule:Schedule schedule"


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("name", ["dev", "prod"])
def test_a_stack_is_made_as_previewed_its_run_completes_and_nothing_is_left_to_change(
    deployment, publisher, name, store
):
    stack = deployment(name, store=store)
    previewed = stack.preview()
    assert stack.up() == previewed == {"create": len(stack.resources()) + 1}  # and the stack itself
    assert completed(stack, publisher) == ["2 rows inserted, 0 updated, through 2020-01-22"]
    assert stack.up() == {}
    assert stack.provider.calls == []


def test_the_consumer_reads_before_the_fetcher_is_made_and_the_schedule_comes_last(deployment):
    stack = deployment("dev")
    stack.up()
    created = stack.provider.resources("create")
    assert created.index(MAPPING) < created.index(FETCHER) < created.index(SCHEDULE)
    stack.destroy()
    deleted = stack.provider.resources("delete")
    assert deleted.index(SCHEDULE) < deleted.index(FETCHER) < deleted.index(MAPPING)


def test_changed_code_changes_the_functions_and_what_names_their_code_only(deployment, tmp_path, monkeypatch):
    stack = deployment("dev")
    stack.up()
    for part in infra.code.PACKAGES:
        shutil.copytree(ROOT / part, tmp_path / "changed" / part)
    with (tmp_path / "changed" / "functions" / "fetcher.py").open("a") as fetcher:
        fetcher.write("\n# changed\n")
    monkeypatch.setattr(infra.code, "ROOT", tmp_path / "changed")
    changes = stack.up()
    assert sorted(stack.provider.resources("update")) == sorted([*FUNCTIONS, "ssm/parameter:Parameter facts"])
    assert changes == {"update": 4}
    unpacked = stack.folder / "code" / "daybook-dev-fetcher" / "functions" / "fetcher.py"
    assert unpacked.read_text().endswith("# changed\n")


def test_a_failure_in_the_middle_leaves_no_fetcher_and_the_next_up_makes_the_rest(deployment, publisher):
    stack = deployment("dev")
    stack.provider.failing[MAPPING] = "InvalidParameterValueException: the role may not read the stream"
    with pytest.raises(CommandError, match="the role may not read the stream"):
        stack.up()
    first = stack.provider.resources("create")
    assert not {FETCHER, SCHEDULE} & set(first)
    stack.provider.failing.clear()
    stack.up()
    second = stack.provider.resources("create")
    assert set(first) & set(second) == {MAPPING}
    assert {FETCHER, SCHEDULE} <= set(second)
    assert completed(stack, publisher) == ["2 rows inserted, 0 updated, through 2020-01-22"]


def test_a_stack_that_isn_t_protected_is_destroyed_to_its_last_bucket(deployment, publisher):
    stack = deployment("dev")
    stack.up()
    completed(stack, publisher)  # the buckets aren't empty any more
    stack.destroy()
    assert stack.resources() == {}
    assert stack.emulator.client("s3").list_buckets()["Buckets"] == []
    assert stack.emulator.client("dynamodb").list_tables()["TableNames"] == []


def test_a_protected_stack_is_destroyed_only_after_it_has_been_told_to_let_go(deployment):
    stack = deployment("prod")
    stack.up()
    with pytest.raises(CommandError, match="protect"):
        stack.destroy()
    assert stack.provider.calls == []
    stack.cli("config", "set", "daybook:protect", "false")  # docs/deploying.md, "An end"
    stack.up()
    stack.destroy()
    assert stack.resources() == {}


def completed(stack: Deployment, publisher) -> list[str]:
    """The subjects of the reports of one run over two days."""
    with stack.running(publisher) as daybook:
        daybook.publish({"2020-01-21": 1, "2020-01-22": 1})
        assert daybook.run().state == "completed"
        assert daybook.daily() == {"2020-01-21": 1, "2020-01-22": 1}
        return [subject.partition("Daybook: ")[2] for subject in daybook.subjects("daily-report")]
