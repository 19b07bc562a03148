"""What AWS would refuse at once of a resource, by its services' models and by documented rules of theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import click

from local.stack import rules, shapes
from local.stack.calls import calls


class RefusedByAWS(click.ClickException):
    """A deployment would fail here: a line for each refusal, which a command ends with."""

    exit_code = 3  # as of any configuration that can't be used


class Refusal(NamedTuple):
    kind: str
    name: str  # the resource's in the program
    property: str
    rule: str
    source: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {self.property}: {self.rule} [{self.source}]"


@dataclass
class Account:
    """An account without quotas raised; it remembers what AWS adds up over several resources."""

    inline: Counter[str] = field(default_factory=Counter)  # by role, characters of its inline policies

    def check(self, kind: str, name: str, inputs: dict[str, Any]) -> None:
        """Raises RefusedByAWS."""
        if refusals := self.refusals(kind, name, inputs):
            raise RefusedByAWS("\n".join(f"AWS refuses {refusal}" for refusal in refusals))

    def refusals(self, kind: str, name: str, inputs: dict[str, Any]) -> list[Refusal]:
        problems = [*rules.problems(kind, inputs), *_by_model(kind, name, inputs)]
        if kind == "aws:iam/rolePolicy:RolePolicy":
            problems += self._add_up(inputs)
        return [Refusal(kind, name, *problem) for problem in problems]

    def _add_up(self, inputs: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
        role, most = inputs["role"], rules.MAX_INLINE
        self.inline[role] += rules.policy_size(inputs["policy"])
        if self.inline[role] > most:
            rule = f"{self.inline[role]:,} characters without white space in all of {role}, at most {most:,}"
            yield "policy", rule, rules.QUOTAS


def _by_model(kind: str, name: str, inputs: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for service, operation, params in calls(kind, name, inputs):
        for member, rule in shapes.problems(service, operation, params):
            yield member, rule, f"botocore's model of {service}, {operation}"
