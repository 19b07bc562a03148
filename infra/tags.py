"""Tags on every resource that can have them, so that a bill and an inventory say whose it is."""

from typing import Any

import pulumi


def tag_everything(stack: str) -> None:
    """Every resource that is declared from here on."""

    def tagged(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if "tags" not in args.props:
            return None
        own: Any = args.props["tags"] or {}
        tags = {"project": "daybook", "stack": stack, **own}
        return pulumi.ResourceTransformationResult({**args.props, "tags": tags}, args.opts)

    pulumi.runtime.register_stack_transformation(tagged)
