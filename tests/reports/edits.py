"""Edits of the files that a run left, as somebody might make them who wants another verdict."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from tests.plugin.conftest import Reports

Edit = Callable[[Reports], None]


def changing(name: str, old: str, new: str) -> Edit:
    """Replace a text, which must be there, in one of the files."""

    def change(reports: Reports) -> None:
        text = reports[name]
        assert old in text
        (reports.path / name).write_text(text.replace(old, new), encoding="utf-8")

    return change


def dropping(name: str, pattern: str) -> Edit:
    """Remove the first match of a pattern, which must be there, from one of the files."""

    def drop(reports: Reports) -> None:
        text, count = re.subn(pattern, "", reports[name], count=1, flags=re.DOTALL | re.MULTILINE)
        assert count == 1
        (reports.path / name).write_text(text, encoding="utf-8")

    return drop


def cutting(name: str, *, after: int, end: bytes = b"") -> Edit:
    """Leave no more of a file than its beginning."""

    def cut(reports: Reports) -> None:
        path = reports.path / name
        path.write_bytes(path.read_bytes()[:after] + end)

    return cut


def mend_digest(reports: Reports) -> None:
    """Give the verdict the digest of the evidence as it is now."""
    digest = hashlib.sha256(reports["evidence.jsonl"].encode()).hexdigest()
    changing("verdict.json", reports.verdict["evidence_sha256"], digest)(reports)


def repeat_an_observation(reports: Reports) -> None:
    """Add a line that is there already."""
    lines = reports["evidence.jsonl"].splitlines(keepends=True)
    seen = next(line for line in lines if '"type": "observation"' in line)
    changing("evidence.jsonl", seen, seen + seen)(reports)
