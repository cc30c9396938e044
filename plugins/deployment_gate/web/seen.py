"""What checks are given of a page: what speaks against it, by kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deployment_gate.web import findings, speed
from deployment_gate.web.pictures import compare

if TYPE_CHECKING:
    from deployment_gate.environment import TargetPhrase, WebTarget
    from deployment_gate.web.pictures import ApprovedPictures
    from deployment_gate.web.speed import PageSpeed
    from deployment_gate.web.visit import Visit

_MOST_TOLD = 20


@dataclass(frozen=True, slots=True, repr=False)
class SeenPage:
    """One page on one device, as it was seen."""

    visit: Visit
    target: WebTarget

    def __repr__(self) -> str:
        return self.called

    @property
    def called(self) -> str:
        """What it is called in reports."""
        return f"{self.visit.called} on {self.visit.device}"

    def account(self, faults: list[str]) -> str:
        """Say what is wrong with it, the first on the line that reports quote."""
        first, *others = faults or [""]
        more = [f"and {len(others) - _MOST_TOLD} more"] if len(others) > _MOST_TOLD else []
        return "\n".join([f"{self.called}: {first}", *others[:_MOST_TOLD], *more])

    @property
    def load_faults(self) -> list[str]:
        """Why it isn't there."""
        return findings.load_faults(self.visit)

    @property
    def heading_faults(self) -> list[str]:
        """What is wrong with its title and its main heading."""
        return findings.heading_faults(self.visit, self.target)

    @property
    def resource_faults(self) -> list[str]:
        """What it needs and doesn't get."""
        return findings.resource_faults(self.visit)

    @property
    def console_faults(self) -> list[str]:
        """What its console says is wrong."""
        return findings.console_faults(self.visit)

    @property
    def exceptions(self) -> list[str]:
        """What its scripts threw and nobody caught."""
        return list(self.visit.exceptions)

    @property
    def blocked_hosts(self) -> list[str]:
        """The hosts of others that it asks, and isn't let to."""
        return findings.blocked_hosts(self.visit)

    @property
    def accessibility_faults(self) -> list[str]:
        """What keeps people from using it."""
        return findings.accessibility_faults(self.visit, self.target)[0]

    @property
    def accessibility_remarks(self) -> list[str]:
        """What makes it harder to use for some people, and is only told."""
        return findings.accessibility_faults(self.visit, self.target)[1]

    @property
    def overflow_faults(self) -> list[str]:
        """What is wider than the device."""
        return findings.layout_faults(self.visit)

    @property
    def touch_faults(self) -> list[str]:
        """What is too small to be touched."""
        return findings.touch_faults(self.visit)

    @property
    def navigation_faults(self) -> list[str]:
        """Why its navigation is out of reach."""
        return findings.navigation_faults(self.visit)

    @property
    def links(self) -> list[str]:
        """The addresses of its links to pages of its own site."""
        layout = self.visit.layout
        base = f"{self.target.base_url}/"
        return [link for link in (layout.links if layout else ()) if f"{link}/".startswith(base)]

    @property
    def faults(self) -> list[str]:
        """All that is wrong with it."""
        return [
            *self.load_faults,
            *self.heading_faults,
            *self.resource_faults,
            *self.console_faults,
            *(f"uncaught: {error}" for error in self.exceptions),
        ]


@dataclass(frozen=True, slots=True, repr=False)
class SeenSpeed:
    """The loads of one page."""

    speed: PageSpeed
    target: WebTarget
    phrase: TargetPhrase | None

    def __repr__(self) -> str:
        return self.called

    @property
    def called(self) -> str:
        """What it is called in reports."""
        return self.speed.called

    def account(self, faults: list[str]) -> str:
        """Say what is wrong with it, the first on the line that reports quote."""
        return f"{self.called}: " + "\n".join(faults)

    @property
    def load_time_faults(self) -> list[str]:
        """What speaks against the environment's target for page loads."""
        return speed.load_time_faults(self.speed, self.phrase)

    @property
    def feeling_faults(self) -> list[str]:
        """What speaks against the limits of the web vitals, of weight and of requests."""
        return speed.feeling_faults(self.speed, self.target.speed)


@dataclass(frozen=True, slots=True)
class PictureSeen:
    """How a page looks beside the approved picture of it.

    Attributes:
        fault: What differs more than it may.
        remark: Why it was not compared.
        picture: Approved, seen, and what differs, beside one another (PNG).
    """

    fault: str | None = None
    remark: str | None = None
    picture: bytes | None = field(default=None, repr=False)


def compare_page(page: SeenPage, approved: ApprovedPictures, *, approves: bool) -> PictureSeen:
    """Compare a page with its approved picture.

    Args:
        page: As it was seen.
        approved: The approved pictures of its environment.
        approves: Whether what is seen is approved instead.

    Raises:
        ApprovedPictureError: The approved picture can't be read or written.
    """
    visit, section = page.visit, page.target.pictures
    if visit.picture is None:
        return PictureSeen(fault=f"{page.called}: there is no picture of it")
    if approves:
        approved.approve(visit.name, visit.device, visit.picture)
        return PictureSeen(remark=f"{page.called}: the picture of now was approved")
    known = approved.get(visit.name, visit.device)
    if known is None:
        return PictureSeen(
            remark=f"{page.called}: not compared, since there is no approved picture of it yet. "
            "Approve those of now by --approve-screenshots, and keep them with the project"
        )
    found = compare(known, visit.picture, masks=visit.masks, sensitivity=section.sensitivity)
    if found.why is None and found.changed <= section.tolerance:
        return PictureSeen()
    share = f"{found.changed:.2%} of it differ from the approved picture; at most "
    why = f"{share}{section.tolerance:.2%}" + (f"; it {found.why}" if found.why else "")
    return PictureSeen(fault=f"{page.called}: {why}", picture=found.picture)


def told(visit: Visit) -> str:
    """What a visit's console and requests tell, for reports."""
    lines = [f"at {visit.address}"] if visit.address else []
    lines += [f"console: {one.text} {one.address}".rstrip() for one in visit.console]
    lines += [f"uncaught: {text}" for text in visit.exceptions]
    lines += [
        f"request: {one.method} {one.address} {one.status or one.failure}"
        for one in visit.resources
        if one.failure or (one.status or 0) >= 400  # noqa: PLR2004  # HTTP's
    ]
    return "\n".join(lines)
