"""What a failing check brings into the reports beside its message: pictures, traces, texts."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deployment_gate.reports.files import TRACES

if TYPE_CHECKING:
    import pytest


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


def attach(
    report: pytest.TestReport, attachments: Sequence[Attachment], redact: Callable[[str], str]
) -> None:
    """Have pytest's reporters show what a check saw: pictures, links to traces, texts.

    Args:
        report: The check's.
        attachments: What it saw.
        redact: Takes secrets out of texts.
    """
    if not attachments:
        return
    from pytest_html import extras  # type: ignore[import-untyped]  # noqa: PLC0415  # it has none

    shown: list[dict[str, Any]] = []
    for one in attachments:
        name = redact(one.name)
        if one.picture:
            shown.append(extras.png(base64.b64encode(one.picture).decode(), name))
        if one.trace:
            address = f"{TRACES}/{one.trace.name}"
            shown.append(extras.url(address, f"trace of {name}"))
            report.user_properties.append(("trace", address))
        if one.text:
            report.sections.append((f"browser: {name}", one.text))
    report.extras = [*getattr(report, "extras", []), *shown]  # type: ignore[attr-defined]  # pytest-html's
