"""``make docs``: commands.md from every command's own help, settings.md from Pulumi.yaml, and schemas/: the
contracts of events, notices and answers as JSON Schema, from their marshmallow schemas.

What holds across fields (deaths are no more than cases, an id is what its event says) JSON Schema can't say;
it is checked where the contract is, in ``schemas``.
"""

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from importlib import import_module
from inspect import cleandoc
from pathlib import Path
from typing import Any

import click
import yaml
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema, fields, validate

from dashboard import json_answers
from ops.__main__ import NAME, main, run
from schemas import event
from schemas.day import IsoDate, Whole
from schemas.figures import SOURCES
from schemas.notice import NoticeSchema

DOCS = Path(__file__).resolve().parent
SETTINGS_HEAD = """# What can be configured

Generated from [Pulumi.yaml](../Pulumi.yaml): `make docs`. Set one with
`pulumi config set daybook:label staging`, one of a list with
`pulumi config set --path 'daybook:emails[0]' you@example.com`. What is wrong with a value, or a setting that
isn't there, is said before anything is deployed.

| setting | type | default | what it is |
| --- | --- | --- | --- |"""
COMMANDS_HEAD = """# The operator's commands

Generated: `make docs`. What to use when: [operating.md](operating.md).
"""
DRAFT = "https://json-schema.org/draft/2020-12/schema"
COMMENT = "Generated: make docs. Rules across fields are checked beyond this, in schemas/."
END = r"\Z"


def pages() -> dict[str, str]:
    """Every generated file by its name under docs/."""
    schemas = {
        f"schemas/{name}.json": json.dumps(json_schema(name, schema), indent=2) + "\n"
        for name, schema in contracts().items()
    }
    return {"commands.md": commands_page(), "settings.md": settings_page(), **schemas}


def commands_page() -> str:
    sections = [f"## {' '.join([NAME, *path])}\n\n```text\n{_help(path)}```\n" for path in commands()]
    return "\n".join([COMMANDS_HEAD, *sections])


def commands() -> dict[tuple[str, ...], click.Command]:
    """Each command by how it is called, groups before what is in them."""

    def below(
        path: tuple[str, ...], command: click.Command
    ) -> Iterator[tuple[tuple[str, ...], click.Command]]:
        yield path, command
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                if inner := command.get_command(context, name):
                    yield from below((*path, name), inner)

    return dict(below((), main))


def _help(path: tuple[str, ...]) -> str:
    main.context_settings["terminal_width"] = 80
    with redirect_stdout(io.StringIO()) as text:
        run([*path, "--help"])
    del main.context_settings["terminal_width"]
    return text.getvalue()


def settings_page() -> str:
    project = yaml.safe_load((DOCS.parent / "Pulumi.yaml").read_text(encoding="utf-8"))
    rows = [
        f"| `daybook:{name}` | {value['type']} | {_default(value['default'])} | {value['description']} |"
        for name, value in project["config"].items()
    ]
    return "\n".join([SETTINGS_HEAD, *rows, ""])


def _default(value: Any) -> str:
    return f"`{json.dumps(value)}`" if isinstance(value, bool | list) else f"`{value}`" if value != "" else ""


def contracts() -> Mapping[str, Schema]:
    """Each contract by its name: types of events, the notice, the answers of the dashboard's
    addresses, and those of commands with ``--json``."""
    found: dict[str, Schema] = {**event.SCHEMAS, "daybook.notice": NoticeSchema(), **json_answers.ANSWERS}
    for path, command in commands().items():
        if not isinstance(command, click.Group) and any(
            option.name == "as_data" for option in command.params
        ):
            module = import_module(f"ops.commands.{path[0].replace('-', '_')}")
            found[f"ops.{'-'.join(path)}"] = module.ANSWER
    return found


def json_schema(name: str, schema: Schema) -> dict[str, Any]:
    """A contract, its parts in their places."""
    # A part without a name stands where it is used.
    plugin = MarshmallowPlugin(schema_name_resolver=lambda _: "")
    APISpec("", "", "3.1.0", plugins=[plugin])
    converter: Any = plugin.converter
    for kind, *form in (
        (Whole, "integer", None),
        (IsoDate, "string", "date"),
        (event.FileHashes, "object", None),
    ):
        converter.map_to_openapi_type(kind, *form)
    converter.add_attribute_function(_ours)
    body = converter.resolve_nested_schema(schema)
    _describe(schema, body)
    head = {"$schema": DRAFT, "$id": f"urn:daybook:schema:{name}", "$comment": COMMENT, "title": name}
    return head | body


def _ours(_: Any, field: fields.Field[Any], **__: Any) -> dict[str, Any]:
    """What apispec doesn't know of a field: our own kinds, and how a pattern ends."""
    if isinstance(field, Whole):
        return {"description": _described(field), "minimum": field.minimum, "maximum": field.maximum}
    if isinstance(field, IsoDate):
        return {"description": _described(field)}
    if isinstance(field, event.FileHashes):
        hashes = {name: {"type": "string", "pattern": f"^{event.SHA256.pattern}$"} for name in SOURCES}
        rest = {"properties": hashes, "required": list(hashes), "additionalProperties": False}
        return {"description": _described(field), **rest}
    for check in field.validators:
        if isinstance(check, validate.Regexp):
            # JSON Schema searches where marshmallow matches, and its dialect has neither \Z nor \".
            return {"pattern": f"^(?:{str(check.regex.pattern).removesuffix(END)})$".replace(r"\"", '"')}
    return {}


def _describe(schema: Schema, body: dict[str, Any]) -> None:
    """Add what a schema's docstring says, and those of the schemas in it."""
    body = body.get("items", body)
    body["description"] = _described(schema)
    for name, field in schema.fields.items():
        inner = getattr(field, "inner", field)
        if isinstance(inner, fields.Nested):
            _describe(inner.schema, body["properties"][field.data_key or name])


def _described(thing: object) -> str:
    return " ".join(cleandoc(type(thing).__doc__ or "").replace("``", "").split())


if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
