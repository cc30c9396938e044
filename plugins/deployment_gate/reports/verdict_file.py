"""`verdict.json`: the verdict for programs."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deployment_gate.environment import Action, WaiverRule
from deployment_gate.evidence import Evidence, Finding, FindingSeverity, Outcome
from deployment_gate.judgement import (
    Acceptance,
    Accepted,
    Decision,
    JudgedFinding,
    Reason,
    Standing,
    TriggerResult,
    TriggerState,
    Verdict,
)
from deployment_gate.reports.account import Account

VERSION = 1
"""Version of the file's form; it grows when a reader would have to change."""


def render_verdict(account: Account, *, evidence_text: str) -> str:
    """The text of `verdict.json`.

    Args:
        account: What to say.
        evidence_text: The text of `evidence.jsonl`, whose digest ties the two together.
    """
    digest = hashlib.sha256(evidence_text.encode()).hexdigest()
    return render_verdict_on(account, evidence_sha256=digest)


def render_verdict_on(account: Account, *, evidence_sha256: str) -> str:
    """The text of `verdict.json` on evidence of that digest."""
    verdict, run = account.verdict, account.run
    data: dict[str, Any] = {
        "version": VERSION,
        "verdict": verdict.decision,
        "sentence": account.sentence,
        "next": account.next_step,
        "exit_code": account.exit_code,
        "environment": run.environment,
        "release": run.release,
        "run": run.id,
        "tier": run.tier,
        "selection": run.selection,
        "started": run.started.isoformat(),
        "ended": account.ended.isoformat(),
        "tool": run.tool,
        "health_endpoints": dict(account.health_endpoints),
        "reasons": [
            {"verdict": reason.decision, "rule": reason.rule, "text": reason.text}
            for reason in verdict.reasons
        ],
        "notes": list(verdict.notes),
        "triggers": [
            {
                "name": trigger.name,
                "state": trigger.state,
                "action": trigger.action.value,
                "condition": trigger.phrase,
                "why": trigger.why,
                "bad": trigger.bad,
                "total": trigger.total,
                "unobserved": trigger.unobserved,
            }
            for trigger in verdict.triggers
        ],
        "checks": {
            "planned": verdict.planned,
            **{outcome.value: verdict.counts.get(outcome, 0) for outcome in Outcome},
        },
        "findings": _findings(account),
        "not_covered": list(account.not_covered),
        "evidence_sha256": evidence_sha256,
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _findings(account: Account) -> dict[str, Any]:
    """How many findings of each severity aren't accepted, how many are, and what became of each."""
    counted = Counter(
        one.finding.severity for one in account.findings if one.standing is not Standing.WAIVED
    )
    waived = sum(one.standing is Standing.WAIVED for one in account.findings)
    return {
        **{severity.value: counted[severity] for severity in FindingSeverity},
        "waived": waived,
        "found": [_found(one) for one in account.findings],
    }


def _found(one: JudgedFinding) -> dict[str, Any]:
    accepted = one.accepted
    return {
        "fingerprint": one.finding.fingerprint,
        "rule": one.finding.rule,
        "severity": one.finding.severity,
        "standing": one.standing,
        "check": one.finding.check,
        "waived": [_waiver(by.waiver) | {"places": list(by.places)} for by in accepted.by],
        "open": list(accepted.open),
        "expired": _waiver(accepted.expired) if accepted.expired else None,
    }


def _waiver(waiver: WaiverRule) -> dict[str, Any]:
    return {
        "owner": waiver.owner,
        "reason": waiver.reason,
        "expires": waiver.expires.isoformat(),
    }


class VerdictFileError(ValueError):
    """A text that is no `verdict.json`."""


_Count = Annotated[int, Field(ge=0)]
_Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
_Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Entry(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _ReasonEntry(_Entry):
    """One reason for the verdict."""

    verdict: Decision
    """What it asks for."""
    rule: str
    """What asks for it: a trigger by its name, or `release`, `check`, `plan`, `run`."""
    text: str
    """Why, with the numbers behind it."""


class _TriggerEntry(_Entry):
    """What became of a trigger of the environment."""

    name: str
    """What the environment calls it."""
    state: TriggerState
    """How far its condition holds."""
    action: Action
    """What it asks for once it has fired."""
    condition: str
    """Its condition, as the environment's file has it."""
    why: str
    """What was seen; empty where there is nothing to tell."""
    bad: _Count
    """How many readings were bad."""
    total: _Count
    """How many readings were good or bad."""
    unobserved: _Count
    """How many readings were neither, by the runner's trouble."""


class _WaiverEntry(_Entry):
    """Who accepts something, and until when."""

    owner: str
    """Who sees to it."""
    reason: str
    """Why it is accepted."""
    expires: Annotated[date, Field(strict=False)]
    """The last day on which it is."""

    def rule(self) -> WaiverRule:
        """The waiver, without what it is about: that stands beside it."""
        return WaiverRule("", self.reason, self.owner, self.expires)


class _AcceptanceEntry(_WaiverEntry):
    """Who accepts something, until when, and where."""

    places: list[str]
    """The places of the finding that are accepted by it."""


class _FoundEntry(_Entry):
    """What became of one finding; evidence.jsonl and findings.sarif tell what was found."""

    fingerprint: str
    """What it has in common with the same finding of other runs."""
    rule: str
    """The rule that was broken."""
    severity: FindingSeverity
    """How bad it is."""
    standing: Standing
    """What becomes of it."""
    check: str
    """The check that found it."""
    waived: list[_AcceptanceEntry]
    """The waivers that accept it, or some of its places."""
    open: list[str]
    """Its places that no waiver accepts."""
    expired: _WaiverEntry | None
    """A waiver that did accept it, and has run out."""

    def judged(self, finding: Finding) -> JudgedFinding:
        """What became of a finding of the evidence."""
        accepted = Accepted(
            by=tuple(Acceptance(one.rule(), tuple(one.places)) for one in self.waived),
            open=tuple(self.open),
            expired=self.expired.rule() if self.expired else None,
        )
        return JudgedFinding(finding, self.standing, accepted)


class _FindingsEntry(_Entry):
    """What checks of security found."""

    critical: _Count
    """How many are critical, and not waived."""
    high: _Count
    """How many are high, and not waived."""
    medium: _Count
    """How many are medium, and not waived."""
    low: _Count
    """How many are low, and not waived."""
    info: _Count
    """How many are only told, and not waived."""
    waived: _Count
    """How many are waived."""
    found: list[_FoundEntry]
    """All of them, the worst first."""

    def judged(self, findings: Iterable[Finding]) -> tuple[JudgedFinding, ...]:
        """What became of the findings of the evidence; of one that isn't told, the worst."""
        known = {(one.check, one.fingerprint): one for one in findings}
        told = [
            entry.judged(finding)
            for entry in self.found
            if (finding := known.pop((entry.check, entry.fingerprint), None))
        ]
        return (*told, *(JudgedFinding(one, Standing.HOLDS) for one in known.values()))


class VerdictFile(_Entry):
    """What `verdict.json` holds, each field as it is written there."""

    version: Literal[1]
    """Of this form: it grows when a reader would have to change. Keys may come without that."""
    verdict: Decision
    """What is to be done."""
    sentence: str
    """Why, in one sentence."""
    next: str
    """What the reader is to do now."""
    exit_code: Annotated[int, Field(json_schema_extra={"enum": [0, 1, 2, 3, 4, 5, 6, 10]})]
    """What pytest ended with: 0 promote, 10 rollback, everything else hold."""
    environment: str
    """Where it was validated."""
    release: str | None
    """The release that had to be running, where one was named."""
    run: str
    """Which run this was."""
    tier: Literal["smoke", "full"] | None
    """How much of the validation it was; null where it was only a selection."""
    selection: str | None
    """What was selected, where it was less than a tier. Nothing is promoted on that."""
    started: _Moment
    """When it began."""
    ended: _Moment
    """When it ended, or began where it never did."""
    tool: str
    """What validated, and its version."""
    health_endpoints: dict[str, str]
    """The address of each health endpoint, by name."""
    reasons: list[_ReasonEntry]
    """Why it is no promote, the worst first."""
    notes: list[str]
    """What is worth telling and decides nothing."""
    triggers: list[_TriggerEntry]
    """What became of each trigger."""
    checks: dict[Outcome | Literal["planned"], _Count]
    """How many checks were to run, and how many ended in which way."""
    findings: _FindingsEntry
    """What checks of security found."""
    not_covered: list[str]
    """What the environment's file doesn't mention, and nobody looked at."""
    evidence_sha256: _Digest
    """The digest of the evidence.jsonl that this verdict stands on."""

    def account_of(self, evidence: Evidence) -> Account:
        """What was said of `evidence`, as the reports were made of it."""
        counts = {name: count for name, count in self.checks.items() if isinstance(name, Outcome)}
        verdict = Verdict(
            decision=self.verdict,
            reasons=tuple(Reason(one.verdict, one.rule, one.text) for one in self.reasons),
            notes=tuple(self.notes),
            triggers=tuple(
                TriggerResult(
                    name=one.name,
                    state=one.state,
                    action=one.action,
                    phrase=one.condition,
                    why=one.why,
                    bad=one.bad,
                    total=one.total,
                    unobserved=one.unobserved,
                )
                for one in self.triggers
            ),
            counts=Counter(counts),
            planned=self.checks.get("planned", 0),
            findings=self.findings.judged(evidence.findings),
        )
        return Account(
            run=evidence.run,
            verdict=verdict,
            evidence=evidence,
            not_covered=tuple(self.not_covered),
            health_endpoints=self.health_endpoints,
        )


def read_verdict(text: str) -> VerdictFile:
    """What a `verdict.json` says.

    Raises:
        VerdictFileError: The text isn't one.
    """
    try:
        return VerdictFile.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise VerdictFileError(f"{where}: {first['msg']}" if where else first["msg"]) from None
