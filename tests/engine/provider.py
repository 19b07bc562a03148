"""A provider for Pulumi's engine in place of AWS's own: what it creates is created in the local cloud.

It runs in the test's process, where the test can see each call and plant a failure;
PULUMI_DEBUG_PROVIDERS leads the engine to it.
"""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import changes
import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import ResourceProviderServicer, plugin_pb2, provider_pb2, provider_pb2_grpc

from local.stack.program import answer, plain
from local.stack.resources import Cloud, Inputs, create

SIGNATURE = "4dabf18193072939515e22adb298388d"  # of a value that is no plain one: a file, an archive
UNKNOWN_BEFORE = ("arn", "uuid", "keyId", "cname", "domainName", "invokeArn", "version", "uniqueId")
# What AWS can't change of a thing that exists: of any type, and of some ("forces new resource" in the AWS
# provider's documentation).
NAMES = {"name", "bucket", "databaseName", "tableName", "layerName", "dashboardName"}
FIXED = {
    "aws:dynamodb/table:Table": {"hashKey", "rangeKey"},
    "aws:ec2/securityGroup:SecurityGroup": {"description", "vpcId"},
    "aws:elasticbeanstalk/applicationVersion:ApplicationVersion": {"application", "key"},
    "aws:elasticbeanstalk/environment:Environment": {"application", "tier"},
    "aws:iam/rolePolicy:RolePolicy": {"role"},
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": {"role", "policyArn"},
    "aws:lambda/eventSourceMapping:EventSourceMapping": {"eventSourceArn", "startingPosition"},
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": {"functionName"},
    "aws:lambda/layerVersion:LayerVersion": {"code", "description", "compatibleRuntimes"},
    "aws:lambda/permission:Permission": {"action", "function", "principal", "sourceArn"},
    "aws:s3/bucketObjectv2:BucketObjectv2": {"key"},
    "aws:sns/topicPolicy:TopicPolicy": {"arn"},
    "aws:sns/topicSubscription:TopicSubscription": {"topic", "protocol", "endpoint"},
}


@dataclass(frozen=True)
class Call:
    """What the engine had done to a resource, by its name in the program."""

    verb: str  # create, update, delete
    kind: str
    name: str

    @property
    def resource(self) -> str:
        """Like lambda/function:Function fetcher."""
        return f"{self.kind.removeprefix('aws:')} {self.name}"


class PlantedFailure(Exception):
    """What a test has AWS answer."""


class Provider(ResourceProviderServicer):
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.calls: list[Call] = []
        self.failing: dict[str, str] = {}  # by resource: what AWS answers to its creation
        self._lock = threading.Lock()
        self._server = grpc.server(ThreadPoolExecutor())
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(self, self._server)
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def close(self) -> None:
        self._server.stop(None).wait()

    def counts(self) -> Counter[str]:
        """How many resources were created, updated, deleted."""
        return Counter(call.verb for call in self.calls)

    def resources(self, verb: str) -> list[str]:
        """What this was done to, in order."""
        return [call.resource for call in self.calls if call.verb == verb]

    def GetPluginInfo(self, request, context):  # noqa: N802
        return plugin_pb2.PluginInfo(version="7.51.1")

    def Attach(self, request, context):  # noqa: N802
        return empty_pb2.Empty()

    def Cancel(self, request, context):  # noqa: N802
        return empty_pb2.Empty()

    def Handshake(self, request, context):  # noqa: N802
        return provider_pb2.ProviderHandshakeResponse()

    def CheckConfig(self, request, context):  # noqa: N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request, context):  # noqa: N802
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request, context):  # noqa: N802
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Check(self, request, context):  # noqa: N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def Invoke(self, request, context):  # noqa: N802
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").update(answer(request.tok))
        return response

    def Read(self, request, context):  # noqa: N802
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Diff(self, request, context):  # noqa: N802
        old, new = _compared(request.old_inputs), _compared(request.news)
        changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
        replaced = [key for key in changed if key in NAMES | FIXED.get(_kind(request.urn), set())]
        response = provider_pb2.DiffResponse
        return response(
            changes=response.DIFF_SOME if changed else response.DIFF_NONE,
            diffs=changed,
            replaces=replaced,
            deleteBeforeReplace=bool(replaced),  # two things of one name can't be
        )

    def Create(self, request, context):  # noqa: N802
        if request.preview:
            unknown = {key: rpc.UNKNOWN for key in UNKNOWN_BEFORE if key not in request.properties}
            return provider_pb2.CreateResponse(properties=_joined(request.properties, unknown))
        call = self._note("create", request.urn)
        if call.resource in self.failing:
            raise PlantedFailure(self.failing[call.resource])
        with self._lock:
            identity, outputs = create(self.cloud, call.kind, call.name, _inputs(request.properties))
        return provider_pb2.CreateResponse(id=identity, properties=_joined(request.properties, outputs))

    def Update(self, request, context):  # noqa: N802
        outputs: dict[str, Any] = {}
        if not request.preview:
            call = self._note("update", request.urn)
            with self._lock:
                old, new = plain(_compared(request.old_inputs)), _inputs(request.news)
                outputs = changes.update(self.cloud, call.kind, call.name, old, new)
        merged = _joined(request.olds, {**json_format.MessageToDict(request.news), **outputs})
        return provider_pb2.UpdateResponse(properties=merged)

    def Delete(self, request, context):  # noqa: N802
        call = self._note("delete", request.urn)
        with self._lock:
            changes.delete(self.cloud, call.kind, request.id, plain(_compared(request.old_inputs)))
        return empty_pb2.Empty()

    def _note(self, verb: str, urn: str) -> Call:
        call = Call(verb, _kind(urn), urn.rpartition("::")[2])
        self.calls.append(call)
        return call


def _kind(urn: str) -> str:
    """The resource's type, without its parents'."""
    return urn.split("::")[2].rpartition("$")[2]


def _inputs(properties: struct_pb2.Struct) -> Inputs:
    return plain(rpc.deserialize_properties(properties))


def _joined(properties: struct_pb2.Struct, more: dict[str, Any]) -> struct_pb2.Struct:
    joined = struct_pb2.Struct()
    joined.CopyFrom(properties)
    joined.update(more)
    return joined


def _compared(value: Any) -> Any:
    """What makes two values the same: of files their contents, wherever they are."""
    match value:
        case struct_pb2.Struct():
            return _compared(json_format.MessageToDict(value))
        case dict():
            return value.get("hash") if SIGNATURE in value else {k: _compared(v) for k, v in value.items()}
        case list():
            return [_compared(item) for item in value]
    return value
