"""What one visit of a page in a browser showed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from deployment_gate.evidence import Observation, ObservationKind
from deployment_gate.web.accessibility import Violation
from deployment_gate.web.layout import Layout
from deployment_gate.web.pictures import Box


@dataclass(frozen=True, slots=True)
class Resource:
    """One request of a page, and what came of it.

    Attributes:
        address: Where to.
        kind: What it is for, in Playwright's words: document, script, image, fetch.
        method: HTTP's.
        status: HTTP's, where there was an answer.
        content_type: Without parameters, in lower case.
        failure: Why there was no answer.
        is_blocked: It went to a host that the environment doesn't list, and never left.
    """

    address: str
    kind: str
    method: str = "GET"
    status: int | None = None
    content_type: str = ""
    failure: str | None = None
    is_blocked: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """An error in the browser's console.

    Attributes:
        text: What it says.
        address: The file that it is about.
    """

    text: str
    address: str


@dataclass(frozen=True, slots=True)
class Visit:
    """What was seen of one page on one device.

    Attributes:
        name: The page's, in the environment file.
        path: Where it is.
        device: The name of the device.
        at: When the visit began.
        duration_s: Seconds until the page had loaded.
        address: Where it ended.
        status: HTTP's, of the page's own document.
        error: Why it didn't load; the target's doing.
        unobserved: Why nothing was seen; not the target's doing.
        resources: What it asked for.
        console: What is wrong by the browser's console.
        exceptions: What its scripts threw and nobody caught.
        layout: What it looks like.
        menu_links: How many links of its navigation are seen once its menu was opened, where it
            has one that is closed.
        violations: What is inaccessible, where that was asked.
        picture: A screenshot of all of it (PNG).
        masks: Where in it things look different each time.
        trace: Where Playwright's trace of it is, where something was wrong.
    """

    name: str
    path: str
    device: str
    at: datetime
    duration_s: float = 0.0
    address: str = ""
    status: int | None = None
    error: str | None = None
    unobserved: str | None = None
    resources: tuple[Resource, ...] = ()
    console: tuple[Said, ...] = ()
    exceptions: tuple[str, ...] = ()
    layout: Layout | None = None
    menu_links: int | None = None
    violations: tuple[Violation, ...] | None = None
    picture: bytes | None = None
    masks: tuple[Box, ...] = ()
    trace: Path | None = None

    @property
    def called(self) -> str:
        """What it is called in reports."""
        return f"{self.name} ({self.path})"

    @property
    def is_loaded(self) -> bool:
        """Whether there is a page to look at."""
        return self.layout is not None

    def observation(self, check: str | None, **facts: Any) -> Observation:
        """It as evidence."""
        return page_observation(
            self.path,
            at=self.at,
            duration_s=self.duration_s,
            status=self.status,
            error=self.error,
            unobserved=self.unobserved,
            check=check,
            facts={"page": self.name, "device": self.device, "url": self.address, **facts},
        )


def page_observation(
    path: str, *, at: datetime, duration_s: float, facts: Mapping[str, Any], **more: Any
) -> Observation:
    """One load of a page as evidence."""
    return Observation(
        at=at,
        kind=ObservationKind.PAGE,
        subject=path,
        duration_s=round(duration_s, 6),
        facts=facts,
        **more,
    )


@dataclass(slots=True)
class Noted:
    """What a page's events tell while it is visited."""

    resources: dict[Any, Resource] = field(default_factory=dict)
    console: list[Said] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)
