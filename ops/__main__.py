"""``python -m ops``: operate a stack, on AWS and on this machine alike."""

import importlib.util
import sys
import traceback
from collections.abc import Sequence

if importlib.util.find_spec("marshmallow") is None:
    sys.exit("Daybook's packages are not in this Python. Run: make setup. Then: .venv/bin/daybook")

import click

from ops import acting, checking, configuration, looking
from ops.asked import Asked, options
from ops.errors import INTERRUPTED, Problem, explained
from ops.output import lines, write_out_what_is_lacking

EPILOG = (
    "Exit codes: 0 done, 1 unexpected, 2 usage, 3 configuration, 4 a source is unavailable or malformed, "
    "or the last run failed, 5 days are pending, 6 AWS failed, 7 an invariant is broken, 130 interrupted."
)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80, "terminal_width": 80},
    epilog=EPILOG,
)
@options
@click.pass_context
def main(context: click.Context) -> None:
    """Operate Daybook. Without --state or --stack it finds the local cloud that runs here, the newest one
    kept here, or the only stack on AWS, and says on stderr which.

    Defaults of your own: daybook.toml, here or in ~/.config/daybook."""
    context.ensure_object(Asked)


for command in (*looking.COMMANDS, *acting.COMMANDS, *checking.COMMANDS):
    main.add_command(command)


def run(arguments: Sequence[str] | None = None) -> int:
    """The exit code; whatever goes wrong is told on stderr, without a stack trace unless it was asked for."""
    asked = Asked()
    write_out_what_is_lacking()
    try:
        code = main.main(
            arguments,
            prog_name="python -m ops",
            standalone_mode=False,
            obj=asked,
            complete_var="_DAYBOOK_COMPLETE",
            default_map=configuration.read(main),
        )
        return code or 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        lines("\nInterrupted. Every command can be started again.", err=True)
        return INTERRUPTED
    except Exception as error:
        if asked.debug:
            lines(traceback.format_exc(), err=True)
        problem = error if isinstance(error, Problem) else explained(error)
        lines(f"Error: {problem}", err=True)
        return problem.code


if __name__ == "__main__":
    sys.exit(run())
