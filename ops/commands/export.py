"""``export``: every entry of the record, in a form that other tools load."""

import importlib
from pathlib import Path

import click

from ops.errors import CONFIGURATION, PENDING, Problem
from ops.options import Options, command
from ops.terminal import line, say

FORMS = Path(__file__).parent.with_name("export")


def forms() -> list[str]:
    """A form is the file of its name in ops/export."""
    return sorted(path.stem for path in FORMS.glob("[a-z]*.py"))


@command()
@click.option("--as", "form", type=click.Choice(forms()), required=True, help="The form.")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def export(options: Options, form: str, folder: Path) -> None:
    """Every entry, for other tools. In FOLDER, beside a datapackage.json that says what each
    column is, and whose figures they are. As package: CSV of the days and of the entries, by Frictionless
    Data. As epi_archive: Delphi's long form, for epiprocess. As parquet: the same as package. As alfred: a
    value a series, date and real-time period, as ALFRED has it."""
    from ops import data_package

    with options.stack(reading=True) as stack:
        entries, expected = stack.tables.entries(), stack.ledger.head().entries
        synthetic = stack.facts.get("synthetic") == "true"
    if not expected:
        raise Problem(
            "There is no record to export.",
            "Nothing was written.",
            "Make a run first: daybook run --wait",
            CONFIGURATION,
        )
    if len(entries) < expected:
        raise Problem(
            f"The store shows {len(entries):,} of {expected:,} entries.",
            "Nothing was written.",
            "What was written lately may take six hours to be seen; `daybook verify` says more.",
            PENDING,
        )
    folder.mkdir(parents=True, exist_ok=True)
    tables = importlib.import_module(f"ops.export.{form}").write(folder, entries)
    path = data_package.write(folder, tables, synthetic=synthetic)
    say(f"{len(entries):,} entries: {', '.join(table.path for table in tables)}, {path.name}")
    line(folder)
