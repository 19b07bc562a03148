"""The program's resources as AWS would be given them, with ids and ARNs of AWS's own form.

Each stack's file, each store, and the longest stack name that the settings allow.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from listing import configured
from pulumi.runtime.mocks import MockResourceArgs
from test_stack import CONFIG, Recorder

from infra.settings import MAX_LABEL, MAX_STACK
from local.stack.program import plain, run_program
from storage.tables import DYNAMODB, TIMESTREAM

Resources = list[tuple[str, str, dict[str, Any]]]  # type, name in the program, inputs

RENDERINGS = [(stack, store) for stack in ("dev", "prod") for store in (TIMESTREAM, DYNAMODB)]
WIDEST = {"label": "L" * MAX_LABEL, "dashboard_subnet": "subnet-0123456789abcdef0"}
UUID = "0a1b2c3d-0000-4000-8000-0123456789ab"
HERE = "us-east-1:123456789012"
ARNS = {
    "Alarm": f"arn:aws:cloudwatch:{HERE}:alarm:{{name}}",
    "Bucket": "arn:aws:s3:::{bucket}",
    "Database": f"arn:aws:timestream:{HERE}:database/{{databaseName}}",
    "Function": f"arn:aws:lambda:{HERE}:function:{{name}}",
    "Key": f"arn:aws:kms:{HERE}:key/{UUID}",
    "LayerVersion": f"arn:aws:lambda:{HERE}:layer:{{layerName}}:1",
    "LogGroup": f"arn:aws:logs:{HERE}:log-group:{{name}}",
    "MetricAlarm": f"arn:aws:cloudwatch:{HERE}:alarm:{{name}}",
    "Role": "arn:aws:iam::123456789012:role/{name}",
    "Stream": f"arn:aws:kinesis:{HERE}:stream/{{name}}",
    "Topic": f"arn:aws:sns:{HERE}:{{name}}",
}
TABLES = {
    "aws:dynamodb/table:Table": f"arn:aws:dynamodb:{HERE}:table/{{name}}",
    "aws:timestreamwrite/table:Table": (
        f"arn:aws:timestream:{HERE}:database/{{databaseName}}/table/{{tableName}}"
    ),
}
IDS = {"Bucket": "{bucket}", "Role": "{name}", "SecurityGroup": "sg-0123456789abcdef0", "Key": UUID}


@cache
def rendered(stack: str, store: str) -> Resources:
    """Not to be changed: tests share it."""
    recorder = Plausible()
    config = configured(stack) | CONFIG | WIDEST | {"store": store}
    run_program(recorder, longest(stack), config)
    return recorder.resources


def longest(stack: str) -> str:
    return f"{stack}-{'x' * MAX_STACK}"[:MAX_STACK]


class Plausible(Recorder):
    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        inputs, word = plain(args.inputs), args.typ.rpartition(":")[2]
        self.resources.append((args.typ, args.name, inputs))
        arn = TABLES.get(args.typ, ARNS.get(word, ""))
        outputs = {
            "arn": arn.format_map(inputs),
            "uuid": UUID,
            "keyId": UUID,
            "cname": f"{args.name}.us-east-1.elasticbeanstalk.com",
            "domainName": "d111111abcdef8.cloudfront.net",
        }
        return IDS.get(word, args.name).format_map(inputs), {**inputs, **outputs}
