"""The design's invariants on a scenario's cloud, and what ``verify`` says of what was destroyed."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from local.in_process import InProcessCloud
from local.scenario import reading
from local.scenario.operator import NoAnswer, answer
from local.scenario.watch import Watch, broken
from ops.invariants import files
from storage.kept import Values


class Published:
    """What the newest believed files say, of all that the sources have published so far."""

    def __init__(self, cloud: InProcessCloud) -> None:
        self._cloud = cloud
        self._contents: dict[str, Mapping[dt.date, Values]] = {}
        self.is_believed = True  # False: the files as they are were refused, and the record can't be as they

    def add(self, source: str, content: bytes) -> None:
        """A source publishes this; what is no file of a source is never believed."""
        try:
            self._contents[hashlib.sha256(content).hexdigest()] = files.parse(source, content)
        except (ValueError, KeyError, TypeError):
            return

    def served(self, contents: Mapping[str, bytes]) -> frozenset[dt.date]:
        """The dates that both of these files have; none where one of them can't be read."""
        parsed = [
            self._contents.get(hashlib.sha256(content).hexdigest(), {}) for content in contents.values()
        ]
        return frozenset(parsed[0].keys() & parsed[1].keys() if len(parsed) == 2 else ())

    def __call__(self) -> Mapping[dt.date, Values] | None:
        """By date, of the dates that both have; None where no file was believed yet."""
        believed = reading.believed(self._cloud)
        said = [self._contents.get(sha256, {}) for sha256 in believed.values()]
        if len(said) < 2 or not self.is_believed:
            return None
        return {date: {**said[0][date], **said[1][date]} for date in said[0].keys() & said[1].keys()}


def watch(cloud: InProcessCloud, published: Published) -> Watch:
    """A watch that looks after each invocation."""
    watching = Watch(cloud, published, cloud.wire.asked)
    runtime: Any = cloud.runtime
    runtime.after.append(watching.look)
    return watching


def problems(cloud: InProcessCloud, watching: Watch, lost: Sequence[reading.Lost]) -> list[str]:
    """What does not hold. What is still lost is reported by ``verify``, and nothing else is."""
    dates = {str(date) for one in lost for date in one.dates}
    watching.problems = [one for one in watching.problems if not any(date in one.what for date in dates)]
    gone = [one for one in lost if reading.is_lost(cloud, one)]
    if not gone:
        return broken(cloud, watching)
    names = {one.name for one in gone} | {str(date) for one in gone for date in one.dates}
    try:
        _, verified = answer(cloud, "verify")
    except NoAnswer as error:
        return [str(error)]
    findings = [f"{one['place']}: {one['what']}" for one in verified["findings"] if one["broken"]]
    silent = [
        f"verify was to report {one.name} ({date}) as lost, and does not"
        for one in gone
        for date in sorted(one.dates)
        if not any(str(date) in finding or one.name in finding for finding in findings)
    ]
    others = [*findings, *broken(cloud, watching)]
    return silent + [
        problem for problem in dict.fromkeys(others) if not any(name in problem for name in names)
    ]
