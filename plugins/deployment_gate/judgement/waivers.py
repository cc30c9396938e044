"""Which failures and findings are accepted, by whom and until when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from deployment_gate.environment import Category, Policy, WaiverRule
from deployment_gate.evidence import Finding, PlannedCheck


def waivers_of(policy: Policy, check: PlannedCheck) -> list[WaiverRule]:
    """All waivers that are about a check, expired ones too; health can't be waived."""
    if check.subject is not None or check.category == Category.HEALTH:
        return []
    return [waiver for waiver in policy.waivers if waiver.is_about(check.id)]


def waiver_on(policy: Policy, check: PlannedCheck, day: date) -> WaiverRule | None:
    """The waiver that accepts a check's failure on a day, or None."""
    return _longest(waiver for waiver in waivers_of(policy, check) if day <= waiver.expires)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A waiver, and the places of a finding where it accepts it."""

    waiver: WaiverRule
    places: tuple[str, ...]

    def __str__(self) -> str:
        waiver = self.waiver
        return f"until {waiver.expires} by {waiver.owner} ({waiver.reason})"


@dataclass(frozen=True, slots=True)
class Accepted:
    """Where a finding is accepted on a day, and where it isn't.

    Attributes:
        by: The waivers that accept it, each with its places.
        open: The places where none does.
        expired: The waiver that accepted one of those until it was over, the last of them.
    """

    by: tuple[Acceptance, ...] = ()
    open: tuple[str, ...] = ()
    expired: WaiverRule | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the finding is accepted wherever it was seen."""
        return bool(self.by) and not self.open


def acceptance_of(policy: Policy, finding: Finding, day: date) -> Accepted:
    """Where a finding is accepted on a day: at each place by itself, maybe by several waivers."""
    about = waivers_of_finding(policy, finding)
    by: dict[WaiverRule, list[str]] = {}
    open_: list[str] = []
    over: list[WaiverRule] = []
    # One that names no place is anywhere, and a waiver of certain places isn't about it.
    for place in finding.places or ("",):
        covering = [waiver for waiver in about if waiver.covers(place)]
        holding = _longest(waiver for waiver in covering if day <= waiver.expires)
        if holding:
            by.setdefault(holding, []).append(place)
        else:
            open_.append(place)
            over += covering
    return Accepted(
        tuple(Acceptance(waiver, tuple(places)) for waiver, places in by.items()),
        tuple(open_),
        _longest(over),
    )


def waivers_of_finding(policy: Policy, finding: Finding) -> list[WaiverRule]:
    """All waivers that are about a finding somewhere, expired ones too."""
    rule, fingerprint = finding.rule, finding.fingerprint
    return [
        waiver
        for waiver in policy.waivers
        if waiver.is_about_finding(rule=rule, fingerprint=fingerprint)
    ]


def _longest(waivers: Iterable[WaiverRule]) -> WaiverRule | None:
    return max(waivers, key=lambda waiver: waiver.expires, default=None)
