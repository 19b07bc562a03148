"""The design's invariants on a cloud, and what ``verify`` says of what was destroyed."""

from collections.abc import Sequence
from typing import Any

from local.in_process import InProcessCloud
from local.scenario import reading
from local.scenario.operator import answer


class Watch:
    """What is seen after each invocation."""

    def __init__(self, cloud: InProcessCloud) -> None:
        self.cloud = cloud


def broken(cloud: InProcessCloud, watch: Watch) -> list[str]:
    """The invariants that do not hold, each with its number and in words."""
    del watch
    return verified(cloud)


def verified(cloud: InProcessCloud) -> list[str]:
    """What ``verify`` calls broken."""
    _, found = answer(cloud, "verify")
    said: Any = found
    return [f"{one['place']}: {one['what']}" for one in said["findings"] if one["broken"]]


def problems(cloud: InProcessCloud, watch: Watch, lost: Sequence[reading.Lost]) -> list[str]:
    """What does not hold. What is still lost is reported by ``verify``, and nothing else is."""
    gone = [one for one in lost if reading.is_lost(cloud, one)]
    if not gone:
        return broken(cloud, watch)
    names = {one.name for one in gone} | {str(date) for one in gone for date in one.dates}
    findings = verified(cloud)
    silent = [
        f"verify was to report {one.name} ({date}) as lost, and does not"
        for one in gone
        for date in sorted(one.dates)
        if not any(str(date) in finding or one.name in finding for finding in findings)
    ]
    return silent + [
        problem for problem in broken(cloud, watch) if not any(name in problem for name in names)
    ]
