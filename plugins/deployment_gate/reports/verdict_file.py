"""`verdict.json`: the verdict for programs."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from deployment_gate.environment import Action
from deployment_gate.evidence import Evidence, Outcome
from deployment_gate.judgement import Decision, Reason, TriggerResult, TriggerState, Verdict
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
        "not_covered": list(account.not_covered),
        "evidence_sha256": evidence_sha256,
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


class VerdictFileError(ValueError):
    """A text that is no `verdict.json`."""


class _Entry(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _ReasonEntry(_Entry):
    verdict: Decision
    rule: str
    text: str


class _TriggerEntry(_Entry):
    name: str
    state: TriggerState
    action: Action
    condition: str
    why: str
    bad: int
    total: int
    unobserved: int


class VerdictFile(_Entry):
    """What `verdict.json` holds, each field as it is written there."""

    version: Literal[1]
    verdict: Decision
    sentence: str
    next: str
    exit_code: int
    environment: str
    release: str | None
    run: str
    tier: str | None
    selection: str | None
    started: str
    ended: str
    tool: str
    health_endpoints: dict[str, str]
    reasons: list[_ReasonEntry]
    notes: list[str]
    triggers: list[_TriggerEntry]
    checks: dict[Outcome | Literal["planned"], int]
    not_covered: list[str]
    evidence_sha256: str

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
