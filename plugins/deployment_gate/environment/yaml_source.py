"""YAML files as plain data in which each key and value knows its line."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import yaml

from deployment_gate.environment.errors import EnvironmentFileError, Position, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

Scalar: TypeAlias = str | int | float | bool | None
Key: TypeAlias = tuple[str, ...]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAGS = "tag:yaml.org,2002:"
_QUOTED = ("'", '"', "|", ">")
# An environment file is written by hand; more than this is an alias that multiplies itself.
_NODES_AT_MOST = 100_000
_DEPTH_AT_MOST = 32

# YAML 1.2's core schema (section 10.3.2), in which `yes`, `on` and `1:30` are text.
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"(true|True|TRUE)|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]{1,300}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its place; an entry of a map stands where its key does."""

    value: "Scalar | tuple[Node, ...] | dict[str, Node]"
    position: Position

    def plain(self) -> object:
        """Answer the value as plain data."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value

    def walk(self, path: Key = ()) -> "Iterator[tuple[Key, Node]]":
        """Yield each node below and including this one, with its path."""
        yield path, self
        if isinstance(self.value, dict):
            for key, node in self.value.items():
                yield from node.walk((*path, key))
        elif isinstance(self.value, tuple):
            for index, node in enumerate(self.value):
                yield from node.walk((*path, str(index)))


def typed_scalar(text: str) -> Scalar:
    """Answer what a plain (unquoted) YAML scalar means in the core schema.

    >>> [typed_scalar(text) for text in ("30s", "200", "0.5", "true", "yes", "")]
    ['30s', 200, 0.5, True, 'yes', None]
    """
    if _NULL.fullmatch(text):
        return None
    if boolean := _BOOL.fullmatch(text):
        return boolean[1] is not None
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def read_yaml(path: Path) -> tuple[Node, list[Problem]]:
    """Read a YAML file of one document; answer its data and what is wrong with its form.

    Raises:
        EnvironmentFileError: The file can't be read or isn't YAML.
    """
    file, start = str(path), Position(str(path), 1)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise EnvironmentFileError(
            [Problem(start, (), f"can't be read: {error.strerror}")]
        ) from error
    except UnicodeDecodeError as error:
        message = f"isn't UTF-8 (byte {error.start}). Save it as UTF-8"
        raise EnvironmentFileError([Problem(start, (), message)]) from error
    try:
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        position = Position(file, mark.line + 1) if mark else start
        said = ", ".join(part for part in (error.context, error.problem) if part)
        raise EnvironmentFileError([Problem(position, (), f"isn't YAML: {said}")]) from error
    except yaml.YAMLError as error:
        said = str(error).splitlines()[0]
        raise EnvironmentFileError([Problem(start, (), f"isn't YAML: {said}")]) from error
    except RecursionError as error:
        raise EnvironmentFileError([Problem(start, (), "is nested too deeply")]) from error
    return _Reading(file).read(root)


class _Reading:
    """The reading of one file: what was wrong so far and how large it has grown."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.nodes = 0

    def read(self, root: yaml.Node | None) -> tuple[Node, list[Problem]]:
        if root is None:
            return Node({}, Position(self.file, 1)), []
        return self._node(root, ()), self.problems

    def _node(self, node: yaml.Node, path: Key, position: Position | None = None) -> Node:
        position = position or self._position(node)
        self.nodes += 1
        if self.nodes > _NODES_AT_MOST or len(path) > _DEPTH_AT_MOST:
            message = "is too large or nested too deeply for an environment file"
            raise EnvironmentFileError([*self.problems, Problem(position, path[:5], message)])
        if not node.tag.startswith(_TAGS):
            self._problem(position, path, f"the tag {node.tag} isn't understood. Remove it")
        if isinstance(node, yaml.MappingNode):
            return Node(self._entries(node, path), position)
        if isinstance(node, yaml.SequenceNode):
            items = enumerate(node.value)
            return Node(tuple(self._node(item, (*path, str(i))) for i, item in items), position)
        is_quoted = isinstance(node, yaml.ScalarNode) and node.style in _QUOTED
        is_text = is_quoted or node.tag == f"{_TAGS}str"
        return Node(node.value if is_text else typed_scalar(node.value), position)

    def _entries(self, node: yaml.MappingNode, path: Key) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        for key_node, value_node in node.value:
            position = self._position(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self._problem(position, path, "a key must be text, not a list or a map")
                continue
            key = key_node.value
            if key == "<<":
                message = "merge keys aren't understood. Write `extends: NAME` or repeat the keys"
                self._problem(position, (*path, key), message)
            elif key in entries:
                self._problem(position, (*path, key), twice(entries[key].position))
            else:
                entries[key] = self._node(value_node, (*path, key), position)
        return entries

    def _position(self, node: yaml.Node) -> Position:
        return Position(self.file, node.start_mark.line + 1)

    def _problem(self, position: Position, path: Key, message: str) -> None:
        self.problems.append(Problem(position, path, message))


def twice(first: Position) -> str:
    """Say that a key stands twice."""
    return f"this key stands twice, first at line {first.line}. Remove one"
