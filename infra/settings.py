"""What an operator configures, read and checked before the first resource is declared.

Defaults and descriptions are in Pulumi.yaml and nowhere else.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import timedelta
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import pulumi
from pulumi.runtime import config as configuration

from functions.sources import shown
from infra import package
from infra.schedule_expression import longest_interval, problem_with
from storage.tables import DYNAMODB, TIMESTREAM

NAMESPACE = "daybook"
STACK = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
MAX_STACK = 30  # an S3 bucket's name has 63 characters: daybook-<stack>-rejected-<account>
MAX_LABEL = 30  # an SMS has 160 characters, and the report needs most of them
LABEL = re.compile(r"[A-Za-z0-9 .-]*")
EMAIL = re.compile(r"[^@\s<>,;:]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
STORES = (TIMESTREAM, DYNAMODB)
NONE, BEANSTALK, CLOUDFRONT = "none", "beanstalk", "cloudfront"
SUBNET = re.compile(r"subnet-[0-9a-f]{8,17}")
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
MAX_ALARM_HOURS = 168  # CloudWatch evaluates at most seven days
MAX_DEADLINE_SECONDS = 90  # Lambda ends the fetcher after 120, and what it fetched is still to be entered
RETENTION_HOURS = (24, 168)  # what a shard's price includes; what longer retention of up to 7 days does


class ConfigurationError(pulumi.RunError):
    """The configuration can't be deployed: all that is wrong with it, a line each."""


@dataclass(frozen=True)
class Settings:
    stack: str
    label: str
    synthetic: bool
    stale_after_hours: int
    schedule: str
    timezone: str
    emails: tuple[str, ...]
    phones: tuple[str, ...]
    webhooks: tuple[str, ...]
    store: str
    stream_retention_hours: int
    nyt_url: str
    jhu_url: str
    history_base: str
    allowed_hosts: tuple[str, ...]
    insecure_hosts: tuple[str, ...]
    max_source_bytes: int
    source_deadline_seconds: int
    dashboard: str
    front: str
    dashboard_subnet: str
    budget_usd: int
    protect: bool
    reserve_concurrency: bool
    check_packages: bool

    def name(self, part: str) -> str:
        """What a resource is called in the account, where other stacks live as well."""
        return f"daybook-{self.stack}-{part}"


def read_settings() -> Settings:
    """Raises ConfigurationError naming everything that is wrong."""
    config = pulumi.Config(NAMESPACE)
    try:
        settings = Settings(
            stack=pulumi.get_stack(),
            label=config.require("label").strip(),
            synthetic=config.require_bool("synthetic"),
            stale_after_hours=config.require_int("stale_after_hours"),
            schedule=config.require("schedule").strip(),
            timezone=config.require("timezone"),
            emails=_texts(config, "emails"),
            phones=_texts(config, "phones"),
            webhooks=_texts(config, "webhooks"),
            store=config.require("store"),
            stream_retention_hours=config.require_int("stream_retention_hours"),
            nyt_url=config.require("nyt_url"),
            jhu_url=config.require("jhu_url"),
            history_base=config.require("history_base"),
            allowed_hosts=_texts(config, "allowed_hosts"),
            insecure_hosts=_texts(config, "insecure_hosts"),
            max_source_bytes=config.require_int("max_source_bytes"),
            source_deadline_seconds=config.require_int("source_deadline_seconds"),
            dashboard=config.require("dashboard"),
            front=config.require("front"),
            dashboard_subnet=config.require("dashboard_subnet").strip(),
            budget_usd=config.require_int("budget_usd"),
            protect=config.require_bool("protect"),
            reserve_concurrency=config.require_bool("reserve_concurrency"),
            check_packages=config.require_bool("check_packages"),
        )
    except (pulumi.ConfigTypeError, pulumi.ConfigMissingError) as error:
        raise ConfigurationError(str(error)) from error
    problems = [*_unknown_keys(), *_problems(settings)]
    if problems:
        raise ConfigurationError("\n".join(["This configuration can't be deployed:", *problems]))
    return settings


def _texts(config: pulumi.Config, key: str) -> tuple[str, ...]:
    found: Any = config.require_object(key)
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise ConfigurationError(f"daybook:{key} is a list of texts, not {type(found).__name__}")
    return tuple(dict.fromkeys(text.strip() for text in found))


def _unknown_keys() -> Iterable[str]:
    """Pulumi takes any key, so a misspelled one would leave its setting at the default without a word."""
    known = [field.name for field in fields(Settings) if field.name != "stack"]
    for name in sorted({**configuration.get_config_env(), **configuration.CONFIG.get()}):
        namespace, _, key = name.partition(":")
        if namespace == NAMESPACE and key not in known:
            (nearest,) = get_close_matches(key, known, n=1, cutoff=0)
            yield f"{name}: there is no such setting; the nearest is {NAMESPACE}:{nearest}"


def _problems(settings: Settings) -> Iterable[str]:
    if not STACK.fullmatch(settings.stack) or len(settings.stack) > MAX_STACK:
        yield (
            f"stack {settings.stack!r}: names of resources are made of it, so at most {MAX_STACK} "
            "small letters, digits and single dashes, a letter first"
        )
    if len(settings.label) > MAX_LABEL or not LABEL.fullmatch(settings.label):
        yield f"daybook:label {settings.label!r}: at most {MAX_LABEL} letters, digits, spaces, dots, dashes"
    yield from _schedule(settings)
    if settings.timezone not in available_timezones():
        yield f"daybook:timezone {settings.timezone!r}: no such zone; write it like America/New_York"
    yield from _each("emails", settings.emails, EMAIL.fullmatch, "not an e-mail address")
    yield from _each("phones", settings.phones, E164.fullmatch, "not in E.164; write it like +12065550100")
    for key, choices in (
        ("store", STORES),
        ("dashboard", (BEANSTALK, NONE)),
        ("front", (CLOUDFRONT, NONE)),
    ):
        if (chosen := getattr(settings, key)) not in choices:
            yield f"daybook:{key} {chosen!r}: is none of {', '.join(choices)}"
    if settings.dashboard_subnet and not SUBNET.fullmatch(settings.dashboard_subnet):
        yield f"daybook:dashboard_subnet {settings.dashboard_subnet!r}: write it like subnet-0123456789abcdef"
    for key, urls in (
        ("nyt_url", [settings.nyt_url]),
        ("jhu_url", [settings.jhu_url]),
        ("history_base", [settings.history_base]),
        ("webhooks", settings.webhooks),
    ):
        for url in urls:
            if problem := _url_problem(url, settings, key):
                yield f"daybook:{key} {shown(url)!r}: {problem}"
    yield from _numbers(settings)
    if settings.check_packages:
        yield from (f"{name} isn't in {package.FOLDER}: run make package" for name in package.missing())


def _schedule(settings: Settings) -> Iterable[str]:
    if problem := problem_with(settings.schedule):
        yield f"daybook:schedule {settings.schedule!r}: {problem}"
    elif not (interval := longest_interval(settings.schedule)):
        yield f"daybook:schedule {settings.schedule!r}: never comes twice"
    elif (hours := interval / timedelta(hours=1)) >= MAX_ALARM_HOURS:
        yield (
            f"daybook:schedule {settings.schedule!r}: may leave {hours:g} hours between two runs; an alarm "
            f"looks back {MAX_ALARM_HOURS} at most, and would ring between any two"
        )
    elif hours >= settings.stale_after_hours:
        yield (
            f"daybook:stale_after_hours {settings.stale_after_hours}: must be more than the {hours:g} hours "
            f"that daybook:schedule {settings.schedule!r} may leave between two runs"
        )


def _numbers(settings: Settings) -> Iterable[str]:
    if settings.budget_usd < 0:
        yield f"daybook:budget_usd {settings.budget_usd}: 0 for none, or whole dollars"
    for key in ("max_source_bytes", "source_deadline_seconds", "stale_after_hours"):
        if getattr(settings, key) <= 0:
            yield f"daybook:{key} {getattr(settings, key)}: must be more than 0"
    if settings.source_deadline_seconds > MAX_DEADLINE_SECONDS:
        yield (
            f"daybook:source_deadline_seconds {settings.source_deadline_seconds}: must be at most "
            f"{MAX_DEADLINE_SECONDS}"
        )
    least, most = RETENTION_HOURS
    if not least <= settings.stream_retention_hours <= most:
        yield f"daybook:stream_retention_hours {settings.stream_retention_hours}: must be {least} to {most}"


def _each(key: str, texts: Iterable[str], valid: Callable[[str], object], problem: str) -> Iterable[str]:
    return (f"daybook:{key} {text!r}: {problem}" for text in texts if not valid(text))


def _url_problem(url: str, settings: Settings, key: str) -> str | None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # which raise
    except ValueError as error:
        return str(error)
    if not host or not re.match("https?://", url) or parts.username or re.search(r"\s", url):
        return "not a web address"
    if parts.scheme == "http" and host not in settings.insecure_hosts:
        return f"must be https ({host} isn't one of daybook:insecure_hosts)"
    if key != "webhooks" and parts.query:
        return "has a query; where a source is, is shown to everybody, so no token may be in it"
    # The history's own host is asked for its files, and no other.
    if key in ("nyt_url", "jhu_url") and host not in settings.allowed_hosts:
        return f"{host} isn't one of daybook:allowed_hosts, so it would never be asked"
    return None
