"""What an operator needs to know about a stack, said once: as its outputs and in SSM's parameter store."""

import pulumi
import pulumi_aws as aws

from infra.settings import Settings


def publish(settings: Settings, facts: dict[str, pulumi.Input[str]]) -> None:
    """The parameter `/daybook/<stack>` holds the same object as the outputs, as JSON."""
    for name, value in facts.items():
        pulumi.export(name, value)
    aws.ssm.Parameter(
        "facts",
        name=f"/daybook/{settings.stack}",
        type="String",
        value=pulumi.Output.json_dumps(facts, sort_keys=True),
    )
