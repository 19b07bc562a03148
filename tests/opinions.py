"""Three judges of rendered resources: CloudFormation's schemas, botocore's models, rules of our own."""

from __future__ import annotations

from typing import Any

from cfnlint import api
from cfnlint.config import ManualArgs
from cfnlint.match import Match
from cloudformation import logical, template
from renderings import Resources

from local.stack.refusals import Account, Refusal

# Findings that have an answer.
ANSWERED = {"W3697": "Timestream admits no new customers: so the program says itself, and offers DynamoDB"}
SAME_NAME = "E3019"  # two resources of one name


def by_schema(resources: Resources) -> list[str]:
    return [f"{match.rule.id} {_path(match)}: {match.message}" for match in _matches(resources)]


def _path(match: Match) -> list[Any]:
    """Where in the template: cfn-lint sets it on a match as it goes, undeclared."""
    return list(getattr(match, "path", None) or [])


def _matches(resources: Resources, *ignored: str) -> list[Match]:
    settings = ManualArgs(regions=["us-east-1"], ignore_checks=[*ANSWERED, *ignored])
    return api.lint(template(resources), config=settings)


def refusals(resources: Resources) -> list[Refusal]:
    account = Account()
    return [
        refusal
        for kind, name, inputs in resources
        if kind.startswith("aws:")
        for refusal in account.refusals(kind, name, inputs)
    ]


def judges(resources: Resources) -> list[set[str]]:
    """Those who refuse each of them: "schema", "model", "rule". One and the same may come several times."""
    # One template of all, because cfn-lint reads its rules anew for each: a second and a half.
    numbered = [(kind, f"{name}{index}", inputs) for index, (kind, name, inputs) in enumerate(resources)]
    refused = {_path(match)[1] for match in _matches(numbered, SAME_NAME)}
    return [
        {
            *(["schema"] if logical(kind, name) in refused else []),
            *(
                "model" if "botocore" in refusal.source else "rule"
                for refusal in refusals([(kind, name, inputs)])
            ),
        }
        for kind, name, inputs in numbered
    ]
