"""Pages as pytest-html writes them, made of a few words."""

from __future__ import annotations

import json
from html import escape
from typing import Any

PNG = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA"
    "60e6kgAAAABJRU5ErkJggg=="
)
"""A picture of one pixel."""


def attachment(content: str, *, name: str = "", format_type: str = "image") -> dict[str, Any]:
    """Something attached to a check, as pytest-html 4 has it."""
    return {"name": name, "format_type": format_type, "content": content, "mime_type": None}


def entry(
    name: str,
    *,
    result: str = "Failed",
    log: str = "",
    extras: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """A check's entry; pytest-html escapes its log."""
    return {"testId": name, "result": result, "log": escape(log), "extras": extras or []}


def draft_of(*entries: dict[str, Any]) -> str:
    """A page of these entries."""
    blob: dict[str, Any] = {"environment": {}, "tests": {}}
    for one in entries:
        blob["tests"].setdefault(one["testId"], []).append(one)
    text = escape(json.dumps(blob))
    return f'<!DOCTYPE html><html><div id="data-container" data-jsonblob="{text}"></div></html>'
