"""The stack as a whole: what a review sees of a change, and what a preview can't know yet."""

from typing import Any

import pulumi
import pytest
from listing import GOLDEN, configured, listing
from pulumi.output import Unknown
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockResourceArgs
from test_stack import CONFIG, Recorder, strings

from local.stack.program import plain, run_program

UNRESOLVED = ("Calling __str__", "Output object", "Output[", "<pulumi.")


def test_the_resources_are_those_that_were_reviewed():
    # When this fails and the change is meant: make listing, and review the difference.
    assert listing() == GOLDEN.read_text()


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_preview_declares_what_the_deployment_does_while_nothing_is_known(stack):
    deployed, preview = Recorder(), Preview()
    run_program(deployed, stack, configured(stack) | CONFIG)
    run_program(preview, stack, configured(stack) | CONFIG, preview=True)
    assert sorted(declared(preview)) == sorted(declared(deployed))
    # A policy names ARNs, so none of it is known; a name is ours, and known.
    assert isinstance(preview.one("iam/rolePolicy:RolePolicy", "consumer")["policy"], Unknown)
    assert preview.one("lambda/function:Function", "consumer")["name"] == f"daybook-{stack}-consumer"
    assert unresolved(preview) == []


def test_nothing_rendered_holds_an_output_that_isnt_resolved():
    stack = Recorder()
    outputs = run_program(stack, "prod", configured("prod") | CONFIG)
    assert len(strings(inputs(stack))) > 100
    assert unresolved(stack) == []
    assert [text for text in strings(outputs) if any(word in text for word in UNRESOLVED)] == []


def test_what_is_looked_for_is_what_pulumi_renders():
    rendered = f"{pulumi.Output.from_input('x')}"
    assert any(word in rendered for word in UNRESOLVED)


class Preview(Recorder):
    """Before a deployment: what a resource is given is known, but not its id nor its ARN."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        inputs = plain(args.inputs)
        self.resources.append((args.typ, args.name, inputs))
        return "", {**inputs, **dict.fromkeys(COMPUTED, rpc.UNKNOWN)}


COMPUTED = ("arn", "uuid", "id", "keyId", "domainName", "endpointUrl", "cname", "invokeArn")


def declared(stack: Recorder) -> list[tuple[str, str]]:
    return [(kind, name) for kind, name, _ in stack.resources]


def inputs(stack: Recorder) -> list[dict[str, Any]]:
    return [found for _, _, found in stack.resources]


def unresolved(stack: Recorder) -> list[str]:
    return [text for text in strings(inputs(stack)) if any(word in text for word in UNRESOLVED)]
