"""``export-site``: the record as a page without a server."""

from pathlib import Path

import click

from ops.errors import CONFIGURATION, Problem
from ops.options import Options, command
from ops.terminal import line, say


@command("export-site")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def export_site(options: Options, folder: Path) -> None:
    """The record as a page without a server. In FOLDER: chart, table, and the record as it stood at
    any date. Fit for GitHub Pages; opens from the disk as well."""
    from ops import static_site

    with options.stack(reading=True) as stack:
        daily, revisions, now = stack.tables.daily(), stack.tables.entries(), stack.now()
        if not daily:
            raise Problem(
                "There is no record to export.",
                "Nothing was written.",
                "Make a run first: daybook run --wait",
                CONFIGURATION,
            )
        runs = stack.ledger.runs_named(sorted({row.run for row in revisions if row.run}))
    files = {run.name: run.files for run in runs}
    synthetic = stack.facts.get("synthetic") == "true"
    path = static_site.write(folder, daily, revisions, files, now, synthetic)
    say(f"{len(daily):,} days, {len(revisions):,} entries. Open it: {path}")
    line(path)
