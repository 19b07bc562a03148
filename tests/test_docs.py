"""What the documents name exists, what exists is named, and the figures in them come from a file."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from test_stack import run

from benchmarks import published
from benchmarks.history import archived
from docs import generate
from ops.commands import cost
from schemas.event import EntrySchema, EnvelopeSchema

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / ".github").rglob("*.md"))
    if path.name != "commands.md"  # generated, and compared with what generates it
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
MONTHS = "June|August|September|October|December"
NAMES = {path: str(path.relative_to(ROOT)) for path in PAGES}


def prose(path: Path) -> str:
    return CODE.sub("", path.read_text(encoding="utf-8"))


def anchors(path: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


def commands(text: str) -> Iterator[list[str]]:
    """Everything in code that calls a module of ours, or ``daybook``: its words, the module first."""
    for code in CODE.findall(text):
        for module, rest in re.findall(
            r"(?:python -m ([\w.]+)|(?<![\w./-])(?:\./)?daybook(?= ))([^`\n#|>&…)]*)",
            code.replace("\\\n", " "),
        ):
            yield [module or "ops", *rest.split()]


@pytest.mark.parametrize("path", PAGES, ids=NAMES.get)
def test_links_between_files_hold(path):
    for link in LINK.findall(prose(path)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        there = (path.parent / name).resolve() if name else path
        assert there.exists(), f"{link}: no such file"
        assert not anchor or anchor in anchors(there), f"{link}: no such heading"


@pytest.mark.parametrize("path", PAGES, ids=NAMES.get)
def test_every_make_target_that_is_named_exists(path):
    code = " ".join(CODE.findall(path.read_text(encoding="utf-8")))
    named = set(re.findall(r"\bmake ([a-z]+)", code))
    assert named <= targets() | {"run"}, named - targets()


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_every_make_target_is_named_somewhere():
    code = " ".join(" ".join(CODE.findall(path.read_text(encoding="utf-8"))) for path in PAGES)
    assert targets() - {"help"} <= set(re.findall(r"\bmake ([a-z]+)", code))


@pytest.mark.parametrize("path", PAGES, ids=NAMES.get)
def test_every_command_and_option_that_is_named_exists(path):
    known = generate.commands()
    for words in commands(path.read_text(encoding="utf-8")):
        module, *rest = words
        file = ROOT / module.replace(".", "/")
        assert file.with_suffix(".py").exists() or (file / "__main__.py").exists(), words
        if module != "ops":
            continue
        while rest and rest[0].startswith("-"):  # --stack prod, before the command
            rest = rest[2:]
        command = ()
        while rest and (*command, rest[0]) in known:
            command = (*command, rest.pop(0))
        assert command or not rest, words
        options = {word for word in rest if re.fullmatch(r"--[a-z-]+", word)}
        assert options <= options_of(command), (words, options - options_of(command))


def options_of(path: tuple[str, ...]) -> set[str]:
    params = generate.commands()[path].params
    return {name for option in params for name in (*option.opts, *option.secondary_opts)}


@pytest.mark.parametrize("path", PAGES, ids=NAMES.get)
def test_every_setting_that_is_named_is_in_the_program(path):
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"].keys()
    named = re.findall(r"daybook:([a-z_]+)", path.read_text(encoding="utf-8"))
    assert set(named) <= declared


def test_every_generated_page_and_schema_is_as_it_is_generated():
    written = {path.relative_to(generate.DOCS).as_posix() for path in (ROOT / "docs" / "schemas").iterdir()}
    pages = generate.pages()
    assert written == {name for name in pages if name.startswith("schemas/")}
    for name, text in pages.items():
        assert (generate.DOCS / name).read_text(encoding="utf-8") == text, f"{name}: make docs writes it anew"


def test_the_event_table_has_every_attribute_and_field_and_no_other():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = text.partition("## The event")[2].partition("\n## ")[0]
    named = set()
    for cell in re.findall(r"^\| (.*?) \|", section, re.MULTILINE):
        parts = re.findall(r"`([a-z.]+)`", cell)
        inside = bool(parts) and parts[0].startswith("data.")
        named |= {f"data.{part.removeprefix('data.')}" if inside else part for part in parts}
    expected = {name for name in EnvelopeSchema().fields if name != "data"}
    assert named == expected | {f"data.{name}" for name in EntrySchema().fields}


def test_the_runbook_has_every_exit_code_that_is_not_success():
    text = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    section = text.partition("## Exit codes")[2].partition("\n## ")[0]
    said = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8").partition("## Exit codes")[2]
    codes = set(re.findall(r"^\| (\d+) \|", section, re.MULTILINE))
    assert codes | {"0"} == set(re.findall(r"^\| (\d+) \|", said, re.MULTILINE))


def test_the_blog_posts_figures_are_those_of_the_generated_file():
    text = prose(ROOT / "docs" / "blog-post.md")
    known = set(json.loads((ROOT / "docs" / "published.json").read_text()).values())
    known |= {round(month_usd()), round(month_usd(dashboard="none"))}
    known |= {1_000}  # a shard's records a second, by AWS
    text = re.sub(rf"(?:\b\d{{1,2}} )?(?:{MONTHS})(?:\s+\d{{4}})?|CC BY 4\.0|COVID-19|S3", "", text)
    found = [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", text)]
    assert len(found) > 8
    assert set(found) <= known, set(found) - known


def test_the_readmes_figures_are_those_of_the_generated_file():
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    counts = json.loads((ROOT / "docs" / "published.json").read_text())
    assert f"wrong on {counts['newest_date_wrong']} of {counts['days']} days" in text
    assert f"{counts['days']} days and 539 restatements" in text  # tests/test_play.py plays them
    assert f"costs about ${month_usd():.0f} with Timestream and the dashboard, $12 without" in text
    assert f"{month_usd(dashboard='none'):.0f}" == "12"


def month_usd(**config: str) -> float:
    """What a month of the stack costs with the dashboard's views answered from memory but for four a day."""
    stack = run(**config)
    stream = stack.one("kinesis/stream:Stream")
    facts = {
        "shards": stream["shardCount"],
        "retention_hours": stream["retentionPeriod"],
        "store": stack.outputs["store"],
        "people": {"email": 1, "sms": 1},
        "instance": stack.outputs["dashboard_instance"],
        "alarms": int(stack.outputs["alarms"]),
        "dashboard_url": stack.outputs["dashboard_url"],
    }
    return sum(item.usd for item in cost.items(facts, 4 if facts["instance"] else 0))


def test_a_month_costs_no_more_than_its_goals():
    assert month_usd() <= 32
    assert month_usd(dashboard="none") <= 14


@pytest.mark.data
def test_the_generated_file_is_what_the_publishing_history_shows(data):
    assert json.loads((ROOT / "docs" / "published.json").read_text()) == published.counts(*archived())


@pytest.mark.cloud
def test_the_readmes_first_command_runs(tmp_path):
    """`make run`, once and elsewhere, by what stands behind it."""
    said = subprocess.run(
        [sys.executable, "-m", "local", "up", "--once", "--state", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    makefile = (ROOT / "Makefile").read_text()
    assert "python -m local up $(ARGS)" in makefile
    (terminal,) = re.findall(
        r"```text\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    assert terminal in said
