"""Lines of YAML with comments: what PyYAML can't write.

What a target has sent stands in them, so every text is quoted unless it is plain beyond doubt, and
nothing of it can begin a line, end a comment or name a variable.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

WIDTH = 100
_STEP = "  "
_DORMANT = "#: "
_PLAIN = re.compile(
    r"[A-Za-z/$][\w./$~+-]*( [\w./$~+-]+)*|https?://[\w./:~%+-]+[\w/~%+-]|[0-9]+(ms|s|m|h)",
    re.ASCII,
)
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off"})


def scalar(value: object) -> str:
    """Answer a value as YAML.

    >>> print(scalar("$.items"), scalar("12"), scalar("a: b # c"), scalar("${HOME}"), scalar(True))
    $.items "12" "a: b # c" "$${HOME}" true
    """
    if not isinstance(value, str):
        return json.dumps(value)
    text = printable(value).replace("${", "$${")
    is_plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def variable(name: str) -> str:
    """Answer a reference to a variable of the process environment, as YAML."""
    return f'"${{{name}}}"'


def flow(value: object) -> str:
    """Answer a value on one line.

    >>> flow({"path": "/orders", "finds": ["a b", 3]})
    '{path: /orders, finds: [a b, 3]}'
    """
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key)}: {flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(flow, value)) + "]"
    return value.text if isinstance(value, Raw) else scalar(value)


class Raw:
    """A piece of YAML that is written as it is."""

    def __init__(self, text: str) -> None:
        self.text = text


def printable(text: str) -> str:
    """Answer a text on one line, without what controls a terminal."""
    cleaned = "".join(sign if sign.isprintable() else " " for sign in text)
    return cleaned.encode(errors="replace").decode()


class Lines:
    """A file that is being written."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def blank(self) -> None:
        """Add an empty line, unless the last one is."""
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def remark(self, text: str, *, depth: int = 0) -> None:
        """Add a comment, over as many lines as it takes."""
        start = _STEP * depth + "# "
        wrapped = wrap(
            printable(text), WIDTH - len(start), break_long_words=False, break_on_hyphens=False
        )
        self._lines += [start + line for line in wrapped]

    def example(self, *lines: str, depth: int = 0) -> None:
        """Add lines of an example, as a comment."""
        self._lines += [f"{_STEP * depth}#   {line}" for line in lines]

    def key(
        self, name: str, value: object = None, *, depth: int = 0, dormant: bool = False
    ) -> None:
        """Add a key, with its value on the same line or without any.

        Args:
            name: The key.
            value: Its value; None for what follows on further lines.
            depth: How deep it stands.
            dormant: Whether it waits, as a comment, until somebody wakes it.
        """
        text = f"{_STEP * depth}{scalar(name)}:" + ("" if value is None else f" {flow(value)}")
        self._lines.append(_DORMANT + text if dormant else text)

    def item(self, value: object, *, depth: int = 0, dormant: bool = False) -> None:
        """Add an item of a list, on one line."""
        text = f"{_STEP * depth}- {flow(value)}"
        self._lines.append(_DORMANT + text if dormant else text)

    def text(self) -> str:
        """All of it."""
        return "\n".join([*self._lines, ""])

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)


def mapping(**values: Any) -> dict[str, Any]:
    """Answer a map without what isn't set.

    >>> mapping(path="/orders", item=None)
    {'path': '/orders'}
    """
    return {name: value for name, value in values.items() if value is not None}
