"""What a failing check brings into the reports beside its message: pictures, traces, texts."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deployment_gate.reports.files import TRACES

if TYPE_CHECKING:
    import pytest


_LONGEST_NAME = 120
"""Characters of a check's id in a file's name."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """Something that shows what a check saw.

    Attributes:
        name: What it is of.
        text: What else there is to say.
        picture: A PNG.
        trace: Where a trace of Playwright's is.
    """

    name: str
    text: str = ""
    picture: bytes | None = None
    trace: Path | None = None


def take_recordings(
    report: pytest.TestReport, folder: Path, redact: Callable[[str], str], *, below: Path
) -> list[Attachment]:
    """Take the traces that pytest-playwright kept of a check: without secrets, into a folder.

    Args:
        report: The check's, which no longer tells where they were.
        folder: Where they belong.
        redact: Takes secrets out of texts.
        below: What paths in the report are relative to.
    """
    told = [value for name, value in report.user_properties if name == "playwright_trace"]
    if not told:
        return []
    from deployment_gate.web.traces import TraceError, redact_trace  # noqa: PLC0415  # few runs do

    report.user_properties = [
        one for one in report.user_properties if not one[0].startswith("playwright_")
    ]
    extras = getattr(report, "extras", [])
    report.extras = [one for one in extras if one["name"] != "Trace"]  # type: ignore[attr-defined]  # pytest-html's
    taken = []
    for raw in (below / str(one) for one in told):
        name = f"{raw.parent.name[-_LONGEST_NAME:]}-{raw.name}"
        try:
            redact_trace(raw, redact)
        except TraceError as error:
            taken.append(Attachment("trace", str(error)))
            continue
        folder.mkdir(parents=True, exist_ok=True)
        shutil.move(raw, folder / name)
        taken.append(Attachment(report.nodeid.rpartition("::")[2], trace=folder / name))
    return taken


def attach(
    report: pytest.TestReport, attachments: Sequence[Attachment], redact: Callable[[str], str]
) -> list[str]:
    """Have pytest's reporters show what a check saw: pictures, links to traces, texts.

    Args:
        report: The check's.
        attachments: What it saw.
        redact: Takes secrets out of texts.

    Returns:
        Where its traces are, from the reports.
    """
    if not attachments:
        return []
    from pytest_html import extras  # type: ignore[import-untyped]  # noqa: PLC0415  # it has none

    shown: list[dict[str, Any]] = []
    traces: list[str] = []
    for one in attachments:
        name = redact(one.name)
        if one.picture:
            shown.append(extras.png(base64.b64encode(one.picture).decode(), name))
        if one.trace:
            address = f"{TRACES}/{one.trace.name}"
            shown.append(extras.url(address, f"trace of {name}"))
            traces.append(address)
        if one.text:
            report.sections.append((name, one.text))
    report.extras = [*getattr(report, "extras", []), *shown]  # type: ignore[attr-defined]  # pytest-html's
    return traces
