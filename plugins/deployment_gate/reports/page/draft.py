"""What pytest-html collected of each check: its log, and what was attached to it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_BLOB = re.compile(r'data-jsonblob="([^"]*)"')
_TAG = re.compile(r"<[^>]+>")
_HEADING = re.compile(r"^-{3,} (?P<name>.+?) -{3,}$")
_CAPTURED = re.compile(r"^Captured (?P<name>.+?)(?: (?:setup|call|teardown))?$")
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+")
_PHASES = ("::setup", "::teardown")


@dataclass(frozen=True, slots=True)
class Extra:
    """Something attached to a check.

    Attributes:
        name: What it is of.
        picture: An image as a data address, where it is one.
        link: Where it leads, where it is a link.
        text: What it says, where it is neither.
    """

    name: str
    picture: str = ""
    link: str = ""
    text: str = ""


@dataclass(slots=True)
class DraftCheck:
    """What is told of one check.

    Attributes:
        sections: Its log in parts, each with its heading; the first may have none.
        extras: What was attached.
    """

    sections: list[tuple[str, str]] = field(default_factory=list)
    extras: list[Extra] = field(default_factory=list)


def read_draft(draft: str | None) -> dict[str, DraftCheck]:
    """Each check of pytest-html's page by its id; none where there is no such page.

    Args:
        draft: What pytest-html wrote.
    """
    found = _BLOB.search(draft or "")
    if found is None:
        return {}
    try:
        blob = json.loads(html.unescape(found[1]))
    except ValueError:
        return {}
    checks: dict[str, DraftCheck] = {}
    for entries in blob.get("tests", {}).values():
        for entry in entries:
            check = checks.setdefault(_id_of(str(entry["testId"])), DraftCheck())
            check.sections += _sections(str(entry.get("log", "")))
            check.extras += _extras(entry.get("extras", []))
    return checks


def _id_of(name: str) -> str:
    """A check's id without the phase that pytest-html adds where that failed."""
    for phase in _PHASES:
        name = name.removesuffix(phase)
    return name


def _sections(log: str) -> Iterator[tuple[str, str]]:
    """A log by its headings; pytest-html has escaped it, and may have coloured it."""
    text = html.unescape(_TAG.sub("", log))
    name, lines = "", list[str]()
    for line in text.splitlines():
        heading = _HEADING.match(line)
        if heading is None:
            lines.append(line)
            continue
        if any(map(str.strip, lines)):
            yield name, "\n".join(lines).strip("\n")
        captured = _CAPTURED.match(heading["name"])
        name, lines = captured["name"] if captured else heading["name"], []
    if any(map(str.strip, lines)) and text != "No log output captured.":
        yield name, "\n".join(lines).strip("\n")


def _extras(extras: list[dict[str, Any]]) -> Iterator[Extra]:
    for one in extras:
        name, content = str(one.get("name") or ""), str(one.get("content") or "")
        if _PICTURE.fullmatch(content):
            yield Extra(name, picture=content)
        elif one.get("format_type") == "url":
            yield Extra(name, link=content)
        elif content:
            yield Extra(name, text=content)
