"""The lines of a function's log, as Lambda filters them and as an operator reads them."""

import datetime as dt
import json

import pytest

from functions import log
from ops.commands.logs import plain


@pytest.mark.parametrize("level", [log.INFO, log.WARN, log.ERROR])
def test_a_line_has_a_level_that_lambda_knows_and_the_moment_of_writing(capsys, level):
    log.line("set aside", level, sequence="7")
    facts = json.loads(capsys.readouterr().out)
    written = dt.datetime.fromisoformat(facts.pop("timestamp"))
    assert facts == {"stage": "set aside", "level": level, "sequence": "7"}
    assert level in {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}
    assert written.utcoffset() == dt.timedelta(0)


def test_an_operator_reads_a_line_with_its_level_and_without_a_second_time(capsys):
    log.line("set aside", log.WARN, sequence="7")
    line = {"time": "2020-03-10 12:00:00", "function": "consumer", "line": capsys.readouterr().out}
    assert plain(line) == "2020-03-10 12:00:00  consumer  set aside     WARN  sequence 7"
