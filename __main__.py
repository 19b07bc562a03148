"""Daybook's stack, in the order the data travels: for AWS by `pulumi up`, and for the local cloud."""

import sys

import pulumi
import pulumi_aws as aws

from infra.account import find_account
from infra.buckets import create_archive
from infra.code import read_code
from infra.consumer import create_consumer
from infra.dashboard import INSTANCE, create_dashboard
from infra.dashboard import environment as dashboard_environment
from infra.fetcher import create_fetcher, create_schedule
from infra.front import find_place
from infra.functions import Surroundings
from infra.keys import PUBLISHERS
from infra.layers import create_layers
from infra.ledger import create_ledger
from infra.outputs import publish
from infra.reporter import create_reporter
from infra.settings import BEANSTALK, read_settings
from infra.stream import create_stream
from infra.tables import create_tables
from infra.tags import tag_everything
from infra.topics import close_topic, create_topics
from infra.watch import watch

if pulumi.runtime.settings.get_monitor() is None:
    sys.exit("This is a Pulumi program. Deploy it with: pulumi up. Run it on this machine with: make run")

settings = read_settings()
tag_everything(settings.stack)
code = read_code()
account = find_account()

place = find_place(settings) if settings.dashboard == BEANSTALK else None

# What the data passes through, the tables first: an account that is refused them has nothing made …
tables = create_tables(settings, account)
stream = create_stream(settings)
archive = create_archive(settings, account)
ledger = create_ledger(settings)
topics = create_topics(settings, account)

# … and the functions, consumers first, so that nothing is emitted before it can be read.
layers = create_layers(settings)
surroundings = Surroundings(settings, code, layers, archive, ledger, stream, tables, topics)
reporter = create_reporter(surroundings)
consumer = create_consumer(surroundings)
fetcher = create_fetcher(surroundings, consumer)
schedule = create_schedule(settings, fetcher, account)

# Dashboards and alarms.
variables = dashboard_environment(settings, surroundings.values())
address = create_dashboard(surroundings, variables, place, account) if place else ""

watched = {"fetcher": fetcher, "consumer": consumer.function, "reporter": reporter}
alarms = watch(settings, watched, tables, topics)

roles = [fetcher.role, consumer.function.role, reporter.role]
close_topic("daily-report", topics.daily_report, account, publishers=roles)
close_topic("alerts", topics.alerts, account, publishers=roles, services=PUBLISHERS)
close_topic("failures", topics.failures, account, publishers=[fetcher.role, consumer.function.role])
close_topic("fallback", topics.fallback, account, services=["cloudwatch.amazonaws.com"])

publish(
    settings,
    {
        **surroundings.values(),
        "synthetic": "true" if settings.synthetic else "false",
        "account": account,
        "region": aws.get_region().region,
        "schedule": schedule.name,
        "schedule_expression": settings.schedule,
        "timezone": settings.timezone,
        "fetcher": fetcher.resource.name,
        "fetcher_arn": fetcher.resource.arn,
        "consumer": consumer.function.resource.name,
        "consumer_arn": consumer.function.resource.arn,
        "reporter": reporter.resource.name,
        "reporter_arn": reporter.resource.arn,
        "mapping": consumer.mapping.uuid,
        "stream_arn": stream.arn,
        "stream_retention_hours": str(settings.stream_retention_hours),
        "archive_arn": archive.arn,
        "rejected_bucket": tables.rejected,
        "alarms": str(alarms),
        "dashboard_instance": INSTANCE if place else "",
        "dashboard_url": address,
        "ledger_arn": ledger.arn,
        "daily_table_arn": tables.daily.arn,
        "revisions_table_arn": tables.revisions.arn,
        "failures_topic": topics.failures.arn,
    },
)
pulumi.export("dashboard_environment", variables)
