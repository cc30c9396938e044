"""Which failures are accepted, by whom and until when."""

from __future__ import annotations

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
    holding = [waiver for waiver in waivers_of(policy, check) if day <= waiver.expires]
    return max(holding, key=lambda waiver: waiver.expires, default=None)


def waiver_of_finding(policy: Policy, finding: Finding, day: date) -> WaiverRule | None:
    """The waiver that accepts a finding on a day, or None."""
    holding = [
        waiver
        for waiver in policy.waivers
        if day <= waiver.expires
        and waiver.accepts(
            rule=finding.rule, fingerprint=finding.fingerprint, places=finding.places
        )
    ]
    return max(holding, key=lambda waiver: waiver.expires, default=None)
