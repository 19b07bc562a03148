"""A YAML document whose every mistake is named with its line."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import yaml

Value = TypeVar("Value")
KINDS = {yaml.ScalarNode: "a value", yaml.SequenceNode: "a list", yaml.MappingNode: "keys with values"}
NULL = "tag:yaml.org,2002:null"


class Mistake(Exception):
    """A scenario file is not in the language. Names file, line, what stands there and what may."""


class Node:
    """A part of the document. Its methods raise Mistake where it is not what they are to give."""

    def __init__(self, file: str, node: yaml.Node) -> None:
        self._file, self._node = file, node

    @property
    def line(self) -> int:
        """Counted from 1."""
        return self._node.start_mark.line + 1

    @property
    def is_null(self) -> bool:
        return self._node.tag == NULL

    @property
    def is_value(self) -> bool:
        return isinstance(self._node, yaml.ScalarNode)

    @property
    def is_list(self) -> bool:
        return isinstance(self._node, yaml.SequenceNode)

    def wrong(self, problem: str, line: int | None = None) -> NoReturn:
        """Raise a Mistake of this line, or of another one of the document."""
        raise Mistake(f"{self._file}, line {line or self.line}: {problem}")

    def text(self) -> str:
        """A single value as it is written."""
        if not isinstance(self._node, yaml.ScalarNode) or self.is_null:
            self.wrong(f"a value is expected, here is {self._kind}")
        return self._node.value

    def parsed(self, parse: Callable[[str], Value]) -> Value:
        """The value of the text; a ValueError of ``parse`` says what is wrong with it."""
        text = self.text()
        try:
            return parse(text)
        except ValueError as error:
            self.wrong(str(error))

    def number(self, least: int = 0) -> int:
        def parse(text: str) -> int:
            if not text.isdecimal() or int(text) < least:
                raise ValueError(f"{text!r} is no whole number from {least} on")
            return int(text)

        return self.parsed(parse)

    def one_of(self, words: Collection[str], what: str) -> str:
        """One of these words."""
        text = self.text()
        if text not in words:
            self.wrong(f"unknown {what} {text!r}; there are {', '.join(words)}")
        return text

    def items(self) -> list["Node"]:
        if not isinstance(self._node, yaml.SequenceNode):
            self.wrong(f"a list is expected, here is {self._kind}")
        return [Node(self._file, node) for node in self._node.value]

    def fields(self) -> list[tuple["Node", "Node"]]:
        """Keys and values in their order; no key comes twice."""
        if not isinstance(self._node, yaml.MappingNode):
            self.wrong(f"keys with values are expected, here is {self._kind}")
        fields = [(Node(self._file, key), Node(self._file, value)) for key, value in self._node.value]
        known: set[str] = set()
        for key, _ in fields:
            if key.text() in known:
                key.wrong(f"{key.text()!r} stands here a second time")
            known.add(key.text())
        return fields

    def record(
        self, readers: Mapping[str, Callable[["Node"], Any]], required: Collection[str] = ()
    ) -> dict[str, Any]:
        """The values by their keys, each as its reader gives it."""
        record = {}
        for key, value in self.fields():
            if key.text() not in readers:
                key.wrong(f"unknown key {key.text()!r}; there are {', '.join(readers)}")
            record[key.text()] = readers[key.text()](value)
        for name in required:
            if name not in record:
                self.wrong(f"{name!r} is missing")
        return record

    @property
    def _kind(self) -> str:
        return "nothing" if self.is_null else KINDS[type(self._node)]


def read(path: Path) -> Node:
    """The document of a file. Raises Mistake."""
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (yaml.MarkedYAMLError, UnicodeDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise Mistake(f"{path}{where}: this is no YAML: {getattr(error, 'problem', error)}") from error
    if node is None:
        raise Mistake(f"{path}, line 1: the file is empty")
    return Node(str(path), node)
