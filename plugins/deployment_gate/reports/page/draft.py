"""What pytest-html collected of each check: its log, and what was attached to it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_BLOB = re.compile(r'data-jsonblob="([^"]*)"')
_TAG = re.compile(r"<[^>]+>")
_HEADING = re.compile(r"^-{3,} (?P<name>.+?) -{3,}$")
_CAPTURED = re.compile(r"^Captured (?P<name>.+?)(?: (?:setup|call|teardown))?$")
_ESCAPES = {
    "&lt;": "<",
    "&gt;": ">",
    "&quot;": '"',
    "&#34;": '"',
    "&#x27;": "'",
    "&#39;": "'",
    "&amp;": "&",
}
"""What `html.escape` and Jinja write; the ampersand last, or it would be taken for a beginning."""

_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+")
_TEXT = re.compile(r"data:(?:text|application)/[\w.+-]+;charset=utf-8;base64,([A-Za-z0-9+/=]+)")
_WORKER = re.compile(r"\A\[gw\d+\] [^\n]* -- Python [^\n]*\n*")
_NO_LOG = "No log output captured."
SAID = {"": "", "setup": "in its setup", "teardown": "in its teardown"}
"""What that part of a log is called that says why a check failed, by the phase."""


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
        sections: Its log in parts, each with its heading, which is "" for what it said itself.
            What it said comes first, in whatever phase, then what was captured.
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
        blob = json.loads(_unescaped(found[1]))
        return _checks(blob["tests"])
    except (AttributeError, KeyError, TypeError, ValueError):
        # Another version of pytest-html: the outcomes and the verdict are told without it.
        return {}


def _checks(tests: dict[str, list[dict[str, Any]]]) -> dict[str, DraftCheck]:
    checks: dict[str, DraftCheck] = {}
    for name, entries in tests.items():
        check = checks[name] = DraftCheck()
        for entry in entries:
            # pytest-html names the phase only where that failed; a check may be called so itself.
            phase = str(entry["testId"]).removeprefix(name).removeprefix("::")
            sections = _sections(str(entry.get("log", "")), SAID.get(phase, phase))
            # An error of a teardown comes with all that was captured before, once more.
            check.sections += [one for one in sections if one not in check.sections]
            check.extras += _extras(entry.get("extras", []))
        check.sections.sort(key=lambda one: one[0] not in SAID.values())
    return checks


def _sections(log: str, said: str) -> Iterator[tuple[str, str]]:
    """A log by its headings; pytest-html has escaped it, and may have coloured it."""
    text = _WORKER.sub("", _unescaped(_TAG.sub("", log)), count=1)
    if text.strip() == _NO_LOG:
        return
    name, lines = said, list[str]()
    for line in text.splitlines():
        heading = _HEADING.match(line)
        if heading is None:
            lines.append(line)
            continue
        if any(map(str.strip, lines)):
            yield name, "\n".join(lines).strip("\n")
        captured = _CAPTURED.match(heading["name"])
        name, lines = captured["name"] if captured else heading["name"], []
    if any(map(str.strip, lines)):
        yield name, "\n".join(lines).strip("\n")


def _unescaped(text: str) -> str:
    """A text as it was; a large page in a tenth of the time that `html.unescape` takes."""
    for escape, sign in _ESCAPES.items():
        text = text.replace(escape, sign)
    return text


def _extras(extras: list[dict[str, Any]]) -> Iterator[Extra]:
    for one in extras:
        name, content = str(one.get("name") or ""), str(one.get("content") or "")
        text = _TEXT.fullmatch(content)
        if _PICTURE.fullmatch(content):
            yield Extra(name, picture=content)
        elif text:
            yield Extra(name, text=base64.b64decode(text[1]).decode(errors="replace"))
        elif one.get("format_type") == "url":
            yield Extra(name, link=content)
        elif content:
            yield Extra(name, text=content)
