"""`daybook` before it reaches any stack: help, usage, configuration."""

import datetime as dt
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import click
import pytest

from docs import generate
from ops import errors, terminal
from ops.__main__ import main, run
from ops.options import BOUND, DURATION, MOMENT

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("boto3", "botocore", "pandas", "moto", "pulumi", "duckdb")


def test_help_loads_neither_the_sdk_nor_pandas():
    calls = [[*path, "--help"] for path in generate.commands()]
    script = (
        f"import sys; from ops.__main__ import run; codes = [run(call) for call in {calls!r}]; "
        f"print(sum(codes), [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.count("Usage: daybook") == len(calls)
    assert done.stdout.splitlines()[-1] == "0 []"


def test_summaries_of_commands_are_whole_at_60_columns(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    assert run(["--help"]) == 0
    commands = capsys.readouterr().out.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert len(commands) == len(main.list_commands(click.Context(main)))
    assert [line for line in commands if not line.endswith(".")] == []
    assert [line for line in commands if line.endswith("...")] == []


def test_what_operating_says_of_commands_and_options_is_so_and_no_command_is_left_out():
    text = (ROOT / "docs" / "operating.md").read_text()
    commands = generate.commands()
    named = set()
    for line in re.findall(r"(?<![\w./])daybook [a-z][^`\n]*", text):
        words = line.rstrip(")").split()[1:]
        path = ()
        while words and (*path, words[0]) in commands:
            path = (*path, words.pop(0))
        named.add(path)
        known = {name for option in commands[path].params for name in (*option.opts, *option.secondary_opts)}
        assert not [word for word in words if word.startswith("--") and word not in known], line
    groups = {path for path, command in commands.items() if isinstance(command, click.Group)}
    assert commands.keys() - named - groups == set()
    codes = set(re.findall(r"^\| (\d+) \|", text, re.MULTILINE))
    assert codes == {str(value) for name, value in vars(errors).items() if isinstance(value, int)}


def test_every_command_says_what_it_does_and_every_option_what_it_is_for():
    for path, command in generate.commands().items():
        assert command.help, path
        for parameter in command.params:
            is_option = isinstance(parameter, click.Option)
            assert not is_option or parameter.help, (path, parameter.name)


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["history"],
        ["history", "2020-13-01"],
        ["as-of", "yesterday"],
        ["days", "--pending", "--revised"],
        ["accept", "2020-03-01"],
        ["accept", "2020-03-01", "--reason", " "],
        ["replay", "--rebuild", "--from", "2020-03-01"],
        ["replay", "--from", "12345"],
        ["replay", "--from", "2020-03-02", "--to", "2020-03-01"],
        ["replay", "--source", "stream", "--from", "12", "--to", "11"],
        ["status", "--state", ".", "--stack", "y"],
        ["status", "--state", "no-such-folder"],
        ["run", "--wait", "--patience", "-1"],
        ["runs", "--limit", "0"],
    ],
)
def test_wrong_usage_ends_with_2_and_a_line(arguments, capsys):
    assert run(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert re.fullmatch(r"Error: .+\n", told.err)


def test_where_there_is_no_stack_it_says_what_to_do_and_ends_with_3(tmp_path):
    surroundings = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DAYBOOK_"))
    }
    surroundings |= {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
    done = subprocess.run(
        [sys.executable, "-m", "ops", "status"],
        cwd=tmp_path,
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert "make run" in done.stderr
    assert "Traceback" not in done.stderr
    assert run(["status", "--state", str(tmp_path)]) == 3


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Where the user is, with folders that hold no state."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("far", "near", "variable", "before", "after", "config/daybook"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def named(capsys):
    """The folders that were looked at in vain."""
    told = capsys.readouterr().err
    return re.findall(r"no state of a local cloud in (\w+)\.", told)


def test_an_option_overrules_its_variable_and_the_variable_the_file(folders, monkeypatch, capsys):
    (folders / "config" / "daybook" / "daybook.toml").write_text('state = "far"')
    assert run(["status"]) == 3
    (folders / "daybook.toml").write_text('state = "near"\n[runs]\nlimit = 5\n')
    assert run(["status"]) == 3
    monkeypatch.setenv("DAYBOOK_STATE", "variable")
    assert run(["runs"]) == 3
    assert run(["--state", "before", "status"]) == 3
    assert run(["--state", "before", "status", "--state", "after"]) == 3
    assert named(capsys) == ["far", "near", "variable", "before", "after"]


def test_a_stranger_in_the_file_is_named(folders, capsys):
    (folders / "daybook.toml").write_text('stat = "near"\n[runs]\nlimits = 5\n[run]\nwait = true\n')
    assert run(["status"]) == 3
    told = capsys.readouterr().err
    assert "stat is neither a command nor an option; [runs] limits is no option\n" in told
    (folders / "daybook.toml").write_text("state = ")
    assert run(["status"]) == 3
    assert "can't be read" in capsys.readouterr().err


def test_an_option_for_one_kind_of_stack_overrules_the_file_s_for_the_other(folders, capsys):
    (folders / "daybook.toml").write_text('stack = "prod"')
    assert run(["status", "--state", "near"]) == 3
    assert named(capsys) == ["near"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_how_to_complete_the_one_word(shell, capsys):
    assert run(["completion", shell]) == 0
    assert "_DAYBOOK_COMPLETE" in capsys.readouterr().out


def test_the_one_word_completes_commands_and_options():
    surroundings = os.environ | {"_DAYBOOK_COMPLETE": "bash_complete", "PYTHONPATH": str(ROOT)}
    for words, found in (("daybook st", "plain,status"), ("daybook runs --li", "plain,--limit")):
        place = str(len(words.split()) - 1)
        done = subprocess.run(
            [sys.executable, "-m", "ops"],
            env=surroundings | {"COMP_WORDS": words, "COMP_CWORD": place},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.splitlines() == [found]


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86400)])
def test_a_span_of_time_has_a_unit(text, seconds):
    assert DURATION.convert(text, None, None).total_seconds() == seconds
    assert run(["logs", "--since", text[:-1]]) == 2


def test_a_moment_is_utc_unless_it_says_otherwise_and_a_date_is_its_end():
    assert MOMENT.convert("2020-03-01T12:00", None, None) == dt.datetime(2020, 3, 1, 12, tzinfo=dt.UTC)
    assert MOMENT.convert("2020-03-01T12:00+02:00", None, None).hour == 10
    assert MOMENT.convert("2020-03-01", None, None) == dt.datetime(
        2020, 3, 1, 23, 59, 59, 999000, tzinfo=dt.UTC
    )
    assert BOUND.convert("2020-03-01", None, None).start == dt.datetime(2020, 3, 1, tzinfo=dt.UTC)
    assert BOUND.convert("4711", None, None).sequence == "4711"


def test_errors_of_the_sdk_and_of_the_sources_have_exit_codes_of_their_own():
    from botocore.exceptions import ClientError, NoCredentialsError

    from functions.errors import SourceUnavailable

    denied = ClientError({"Error": {"Code": "AccessDenied"}}, "Query")
    assert [errors.explained(error).code for error in (denied, NoCredentialsError())] == [6, 3]
    assert errors.explained(SourceUnavailable("gone")).code == 4
    assert errors.explained(ValueError("?")).code == 1


def test_what_the_storage_says_has_exit_codes_of_its_own():
    from storage.errors import Damaged, LedgerMoved, LogIncomplete, NoSuchRecord, NotTaken, Unreachable

    passing = (Unreachable("store", "timed out"), LedgerMoved("under it"), NotTaken("a batch"))
    assert [errors.explained(error).code for error in passing] == [6, 6, 6]
    assert [errors.explained(error).code for error in (Damaged("x"), LogIncomplete(["US/1"]))] == [7, 7]
    assert errors.explained(NoSuchRecord("x")).code == 2


def test_a_terminal_that_lacks_a_character_gets_it_written_out():
    script = "from ops import terminal; terminal.write_out_what_is_lacking(); terminal.line('1 – 2')"
    for encoding, said in (("latin-1", b"1 \\u2013 2\n"), ("utf-8", "1 – 2\n".encode())):
        surroundings = os.environ | {"PYTHONIOENCODING": encoding}
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, env=surroundings, capture_output=True, check=True
        )
        assert done.stdout == said


def test_a_long_wait_says_where_it_is_also_where_there_is_no_terminal(monkeypatch, capsys):
    monkeypatch.setattr(terminal, "SECONDS", 0.01)
    told = ""

    def comes(text):
        """Whether it is written within a minute: the lines are another thread's."""
        nonlocal told
        for _ in range(6_000):
            told += capsys.readouterr().err
            if text in told:
                return True
            threading.Event().wait(0.01)
        return False

    with terminal.progress("Replaying", 3) as move:
        move()
        assert comes("Replaying: 1 of 3, ")
        move(1, "Ending")
        assert comes("Ending: 2 of 3, ")


def test_columns_are_as_wide_as_they_need_to_be_numbers_to_the_right_and_nothing_acts(capsys):
    terminal.table(
        ["date", "cases", "why"], [["2020-03-01", 1234, "x" * 200], ["2020-03-02", None, "\x1b[2J"]]
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["date", "cases", "why"]
    assert lines[1] == f"2020-03-01  1,234  {'x' * 200}"
    assert lines[2] == "2020-03-02      –  \\x1b[2J"
