"""What the sample should come to, read from its files without any of the project's code (truth.py)."""

import datetime as dt

import truth

from local.sources import sample


def moments(runs):
    """When the first runs of the sample are made."""
    return [sample.moment(number) + dt.timedelta(minutes=30) for number in range(runs)]


def published(runs):
    """(moment, nyt, jhu) of the first runs."""
    nyt, jhu = sample.histories()
    return [
        (moment, cases.decode(), recoveries.decode())
        for moment, cases, recoveries in zip(moments(runs), nyt.files, jhu.files, strict=False)
    ]


def true_record(runs):
    """({date: figures}, [(moment, date, figures)]) of the first runs."""
    days, revisions, _ = truth.record(published(runs))
    return days, [entry[:3] for entry in revisions]
