"""The steps of a scenario, one function a step."""

import base64
import datetime as dt
import json
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from local.mapping.batch import StreamRecord
from local.scenario import expect, reading
from local.scenario.form import Delivery, Step
from local.scenario.operator import operate
from schemas.day import REGION
from schemas.event import about

if TYPE_CHECKING:
    from local.scenario.play import Player


def publish(player: "Player", step: Step) -> None:
    """The sources serve these files; a source that isn't named stays as it was."""
    for source, content in player.scenario.files[step.value].items():
        player.cloud.publisher.files.pop(source, None)
        if content is not None:
            player.published.add(source, content)
            player.cloud.publisher.files[source] = content


def run(player: "Player", step: Step) -> None:
    """The schedule asks the fetcher."""
    asked = player.runs[step.value] = player.ask(step.options.get("at"))
    runtime: Any = player.cloud.runtime
    runtime.drain(player.cloud.clock.now())
    if "retries" in step.options:
        runtime.forget(asked.request)
    player.deliver()


def retry(player: "Player", step: Step) -> None:
    """Lambda tries the request once more, with the same id and payload."""
    asked = player.runs[step.value]
    (schedule,) = player.cloud.stack.schedules
    player.cloud.runtime.invoke(schedule.target_function, asked.payload, asked.request, asked.at)
    player.deliver()


def fail(player: "Player", step: Step) -> None:
    """The faults of a step begin before it: here is nothing more to do."""


def hold(player: "Player", _step: Step) -> None:
    player.held = True


def release(player: "Player", _step: Step) -> None:
    player.held = False
    player.deliver()


def deliver(player: "Player", step: Step) -> None:
    """The consumer gets records again. A batch of the same shard that is being tried would hold them up, so
    that in its midst they go to the consumer at once, and are tried once."""
    chosen = _chosen(player, step.value)
    now = player.cloud.clock.now()
    for mapping in player.mappings:
        if mapping.busy:
            function = player.cloud.stack.exports["consumer"]
            player.cloud.runtime.invoke(function, json.dumps({"Records": chosen}).encode())
        else:
            # As of now, or else the mapping would give up at once what is older than it tries.
            mapping.deliver(
                [
                    StreamRecord(record["kinesis"]["sequenceNumber"], now, json.dumps(record))
                    for record in chosen
                ]
            )
    player.deliver()


def put(player: "Player", step: Step) -> None:
    """Anybody puts a record on the stream."""
    player.cloud.client("kinesis").put_record(
        StreamName=player.cloud.stack.exports["stream"], Data=step.value.encode(), PartitionKey=REGION
    )
    player.deliver()


def lose(player: "Player", step: Step) -> None:
    """An object of the log, or a day of the ledger, is gone."""
    if isinstance(step.value, dt.date):
        lost = reading.lose_day(player.cloud, step.value)
    else:
        lost = reading.lose_object(player.cloud, step.value)
    player.lost.append(lost)
    player.watch.forget(lost.dates)


def wait(player: "Player", step: Step) -> None:
    player.wait(step.value)


def remake_mapping(player: "Player", _step: Step) -> None:
    """A new mapping reads the stream from its oldest record on."""
    for mapping in player.mappings:
        mapping.abandon()
    player.mappings = player.cloud.mappings = player.cloud.fresh_mappings()
    player.deliver()


def mend(player: "Player", step: Step) -> None:
    player.faults.mend(step.value)


def ops(player: "Player", step: Step) -> None:
    """An operator gives a command, whose exit code is as expected."""
    empties = "--rebuild" in step.value and "--dry-run" not in step.value
    with player.unwatched() if empties else nullcontext():
        code, output = operate(player.cloud, step.value)
    expected = step.options.get("exits", (0,))
    if code not in expected:
        command, codes = " ".join(step.value), " or ".join(map(str, expected))
        player.problems.append(
            f"line {step.line}: ops {command} was to exit with {codes}, and exited with {code}:\n{output}"
        )
    player.deliver()


def repeat(player: "Player", step: Step) -> None:
    for _ in range(step.value):
        player.do(step.options["steps"])


def expected(player: "Player", step: Step) -> None:
    """How it stands now is as expected."""
    player.problems += [
        f"line {step.line}: {problem}" for problem in expect.problems(player.cloud, step.value, "")
    ]


STEPS: dict[str, Callable[["Player", Step], None]] = {
    "publish": publish,
    "run": run,
    "retry": retry,
    "fail": fail,
    "hold": hold,
    "release": release,
    "deliver": deliver,
    "put": put,
    "lose": lose,
    "wait": wait,
    "remake mapping": remake_mapping,
    "mend": mend,
    "ops": ops,
    "repeat": repeat,
    "expect": expected,
}


def _chosen(player: "Player", delivery: Delivery) -> list[dict[str, Any]]:
    """The records that were delivered before, in their order, as far as they are meant."""
    records = [
        (player.cloud.delivered[number], _request(player.cloud.delivered[number]))
        for number in sorted(player.cloud.delivered, key=int)
    ]
    requests = {player.runs[name].request for name in delivery.runs}
    late = {player.runs[name].request for name in delivery.late}
    chosen = [
        (record, request)
        for place, (record, request) in enumerate(records, 1)
        if (not requests or request in requests) and (not delivery.only or place in delivery.only)
    ]
    chosen.sort(key=lambda pair: pair[1] in late)
    return [record for record, _ in chosen]


def _request(record: dict[str, Any]) -> str:
    """The request of the record's run; empty for a record that is no event."""
    run = about(base64.b64decode(record["kinesis"]["data"])).run or ""
    return run.partition("#")[2]
