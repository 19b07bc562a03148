"""Kinesis and DynamoDB by engines that nobody here wrote: a life on them ends in the same dump as on moto."""

import random
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any

import engines
import pytest
from peer_cloud import Ask, Items, PeerEmulator, Streams, peer_cloud

from local.in_process import InProcessCloud, in_process
from local.scenario import play, scenario
from local.scenario.watch import dump
from ops.invariants.ending import changed

HERE = Path(__file__).parent
LIFE = HERE / "peers" / "life.yaml"
SEQUENCE_NUMBER = re.compile(rb"[0-9]{50,}")  # each engine's own, which an alert may name
FILES = {
    "life": LIFE,
    "restated-days": HERE / "situations" / "restated-days.yaml",
    **{
        name: HERE / "scenarios" / f"{name}.yaml"
        for name in (
            "batch-is-split",
            "given-up-and-restated-rebuild",
            "records-come-again",
        )
    },
}
# How it is started, whether it takes an ARN for a name, and the store beside it.
KINESIS: dict[str, tuple[Callable[[], AbstractContextManager[str]], bool, str]] = {
    "kinesis-local": (engines.kinesis_local, True, "timestream"),
    "kinesalite": (engines.kinesalite, False, "dynamodb"),
}
pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(not engines.MODULES.exists(), reason="no Node.js on this machine, or no engines"),
]


def played(cloud: InProcessCloud, file: Path) -> bytes:
    """What a life comes to; every invariant held in it."""
    random.seed(0)  # of the SDK's waits, which pass on the cloud's clock
    outcome = play(cloud, scenario(file))
    assert (outcome.problems, outcome.missed) == ([], [])
    return SEQUENCE_NUMBER.sub(b"N", dump(cloud))


@cache
def alone(file: Path, store: str) -> bytes:
    with in_process(store=store) as cloud:
        return played(cloud, file)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("engine", KINESIS)
def test_a_life_on_another_kinesis_ends_as_on_ours(engine: str, file: str) -> None:
    start, knows_arns, store = KINESIS[engine]
    with start() as endpoint:
        streams = Streams(endpoint, knows_arns)
        with peer_cloud({"kinesis": streams}, store) as cloud:
            ended = played(cloud, FILES[file])
    assert changed(alone(FILES[file], store), ended) == []
    assert streams.asked["PutRecords"] and streams.asked["GetRecords"]


@pytest.mark.parametrize("engine", KINESIS)
def test_a_life_over_a_shard_that_is_split_ends_as_on_ours(engine: str) -> None:
    start, knows_arns, store = KINESIS[engine]
    with start() as endpoint:
        streams = SplitStreams(endpoint, knows_arns)
        with peer_cloud({"kinesis": streams}, store) as cloud:
            ended = played(cloud, FILES["life"])
            shards = cloud.client("kinesis").list_shards(StreamName=cloud.stack.exports["stream"])["Shards"]
    assert changed(alone(FILES["life"], store), ended) == []
    assert [bool(shard.get("ParentShardId")) for shard in shards] == [False, True, True]


class SplitStreams(Streams):
    """Splits the shard before the second run puts."""

    def __call__(self, emulator: PeerEmulator, operation: str, request: Any, moto: Ask) -> tuple[int, Any]:
        if operation == "PutRecords" and self.asked[operation] == 1:
            (shard,) = self.ask("ListShards", {"StreamName": request["StreamName"]})[1]["Shards"]
            middle = {"ShardToSplit": shard["ShardId"], "NewStartingHashKey": str(2**127)}
            self.ask("SplitShard", {"StreamName": request["StreamName"], **middle})
        return super().__call__(emulator, operation, request, moto)


@pytest.mark.parametrize("file", FILES)
def test_a_life_on_another_dynamodb_is_answered_and_ends_as_on_ours(file: str) -> None:
    with engines.dynalite() as endpoint:
        items = Items(endpoint)
        with peer_cloud({"dynamodb": items}, "dynamodb") as cloud:
            ended = played(cloud, FILES[file])
    assert items.differences == []
    assert changed(alone(FILES[file], "dynamodb"), ended) == []
    assert items.asked["TransactWriteItems"] and items.asked["UpdateItem"] and items.asked["Query"]
