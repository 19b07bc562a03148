"""What the dashboard is told: exactly the variables that its settings read."""

from collections.abc import Mapping
from dataclasses import fields

import pulumi

from dashboard import bundle
from dashboard.settings import PREFIX
from dashboard.settings import Settings as DashboardSettings
from infra.settings import Settings


def environment(settings: Settings, values: Mapping[str, pulumi.Input[str]]) -> dict[str, pulumi.Input[str]]:
    """Its variables, from what the functions are told and what only people ask for."""
    known = {
        **values,
        "bundle": bundle.digest(),
        "schedule": f"{settings.schedule} {settings.timezone}",
        "stale_after_hours": str(settings.stale_after_hours),
        "synthetic": "true" if settings.synthetic else "false",
    }
    return {PREFIX + field.name.upper(): known[field.name] for field in fields(DashboardSettings)}
