"""``daybook``: operate a stack, on AWS and on this machine alike."""

import importlib.util
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

if importlib.util.find_spec("marshmallow") is None:
    sys.exit("Daybook's packages are not in this Python. Run: make setup. Then: ./daybook")

import click

from ops.errors import INTERRUPTED, Problem, explained
from ops.options import Options, defaults, shared
from ops.stack import Stack
from ops.terminal import lines, write_out_what_is_lacking

NAME = "daybook"
COMMANDS = Path(__file__).with_name("commands")
EPILOG = (
    "Exit codes: 0 done, 1 unexpected, 2 usage, 3 configuration, 4 a source is unavailable or malformed, "
    "or the last run failed, 5 days are pending, 6 AWS failed, 7 an invariant is broken, 130 interrupted."
)


class Commands(click.Group):
    """A command is the file of its name in ops/commands, imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 click's
        return sorted(path.stem.replace("_", "-") for path in COMMANDS.glob("[a-z]*.py"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        name = cmd_name.replace("-", "_")
        return getattr(importlib.import_module(f"ops.commands.{name}"), name)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog=EPILOG,
)
@shared
def main() -> None:
    """Operate Daybook. Without --state or --stack it finds the local cloud that runs here, the newest one
    kept here, or the only stack on AWS, and says on stderr which.

    Defaults of your own: daybook.toml, here or in ~/.config/daybook."""


def run(arguments: Sequence[str] | None = None, handed: Stack | None = None) -> int:
    """The exit code; whatever goes wrong is a line or two on stderr, and its trace with --debug. ``handed``
    takes the place of the stack that would be found."""
    options = Options(handed)
    write_out_what_is_lacking()
    try:
        code = main.main(
            arguments,
            prog_name=NAME,
            standalone_mode=False,
            obj=options,
            complete_var="_DAYBOOK_COMPLETE",
            default_map=defaults(main),
        )
        return code or 0
    except click.ClickException as error:
        context = error.ctx if isinstance(error, click.UsageError) else None
        see = f" See: {context.command_path} --help" if context else ""
        lines(f"Error: {error.format_message().rstrip('.')}.{see}", err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        lines("\nInterrupted. Every command can be started again.", err=True)
        return INTERRUPTED
    except Exception as error:
        if options.debug:
            lines(traceback.format_exc(), err=True)
        problem = error if isinstance(error, Problem) else explained(error)
        lines(f"Error: {problem}", err=True)
        return problem.code


if __name__ == "__main__":
    sys.exit(run())
