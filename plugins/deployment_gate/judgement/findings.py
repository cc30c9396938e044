"""What findings of security come to by a policy: which hold, only warn, or are accepted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from deployment_gate.environment import Policy
from deployment_gate.evidence import (
    CheckOutcome,
    Evidence,
    Finding,
    FindingSeverity,
    Outcome,
    Severity,
)
from deployment_gate.judgement.waivers import Acceptance, Accepted, acceptance_of, waiver_on

_SEVERITIES = list(FindingSeverity)


class Standing(StrEnum):
    """What becomes of a finding; the order is how bad that is."""

    WAIVED = "waived"
    WARNS = "warns"
    HOLDS = "holds"


@dataclass(frozen=True, slots=True)
class JudgedFinding:
    """A finding, and what becomes of it.

    Attributes:
        finding: What was found.
        standing: What becomes of it.
        accepted: Where it is accepted, and by whom.
    """

    finding: Finding
    standing: Standing
    accepted: Accepted = field(default_factory=Accepted)

    @property
    def holds(self) -> bool:
        """Whether it keeps its release from being promoted."""
        return self.standing is Standing.HOLDS

    @property
    def is_counted(self) -> bool:
        """Whether a trigger on failures of checks counts it: only what is critical."""
        return self.holds and self.finding.severity is FindingSeverity.CRITICAL

    def sentence(self) -> str:
        """The finding in one line, and where it is accepted."""
        return f"{self.finding.sentence}{self.beside()}"

    @property
    def waived(self) -> str:
        """Until when, by whom and why it is accepted."""
        return "; ".join(map(str, self.accepted.by))

    def beside(self) -> str:
        """What is known of its waivers, to be put behind it; empty where it has none."""
        if self.standing is Standing.WAIVED:
            return f" (waived {self.waived})"
        text = ""
        if self.accepted.by:
            told = "; ".join(f"at {', '.join(one.places)} {one}" for one in self.accepted.by)
            text += f" (waived {told}; not at {', '.join(self.accepted.open)})"
        if expired := self.accepted.expired:
            text += f" (its waiver expired on {expired.expires}; {expired.owner} sees to it)"
        return text


def weigh(policy: Policy, findings: Iterable[Finding], day: date) -> tuple[JudgedFinding, ...]:
    """What becomes of each finding on a day, the worst first.

    One is accepted where waivers cover all of its places, and else it is as bad as anywhere.
    """
    line = FindingSeverity(policy.holds_from)
    judged = []
    for one in findings:
        accepted = acceptance_of(policy, one, day)
        if accepted.is_whole:
            standing = Standing.WAIVED
        else:
            standing = Standing.HOLDS if one.severity.is_at_least(line) else Standing.WARNS
        judged.append(JudgedFinding(one, standing, accepted))
    return tuple(sorted(judged, key=_worst_first))


def weigh_evidence(policy: Policy, evidence: Evidence) -> tuple[JudgedFinding, ...]:
    """What becomes of each finding of a run, the worst first.

    Those of a check that only warns only warn, as do those that its last attempt didn't meet
    again. Where a check's failure is accepted, what it found is.
    """
    if not evidence.findings:
        return ()
    day = evidence.run.started.date()
    checks = {check.id: check for check in evidence.plan}
    flaky = {one.id for one in evidence.outcomes if one.outcome is Outcome.FLAKY}
    judged = []
    for one in weigh(policy, evidence.findings, day):
        finding = one.finding
        check = checks.get(finding.check)
        changed = one
        if check and one.holds and (waiver := waiver_on(policy, check, day)):
            whole = Accepted((Acceptance(waiver, finding.places),))
            changed = replace(one, standing=Standing.WAIVED, accepted=whole)
        elif one.holds and (
            finding.check in flaky or (check and check.severity is not Severity.CRITICAL)
        ):
            changed = replace(one, standing=Standing.WARNS)
        judged.append(changed)
    return tuple(sorted(judged, key=_worst_first))


def by_check(judged: Iterable[JudgedFinding]) -> Mapping[str, list[JudgedFinding]]:
    """What each check found, in the same order."""
    found: defaultdict[str, list[JudgedFinding]] = defaultdict(list)
    for one in judged:
        found[one.finding.check].append(one)
    return found


def is_failed_by(outcome: CheckOutcome, found: Iterable[JudgedFinding]) -> bool:
    """Whether a check failed of what it found, and of nothing else.

    A check fails by the sentence of the worst that it found; one that failed otherwise gives
    another reason.
    """
    return outcome.outcome in {Outcome.FAILED, Outcome.WAIVED} and is_told(outcome.message, found)


def is_told(message: str | None, found: Iterable[JudgedFinding]) -> bool:
    """Whether a failure's reason is one of a check's findings."""
    return bool(message) and any(message == one.finding.sentence for one in found)


def _worst_first(one: JudgedFinding) -> tuple[int, int, str, str]:
    standings = list(Standing)
    return (
        -standings.index(one.standing),
        _SEVERITIES.index(one.finding.severity),
        one.finding.rule,
        one.finding.fingerprint,
    )
