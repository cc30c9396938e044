"""`verdict.json`: the verdict for programs."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from deployment_gate.evidence import Outcome
from deployment_gate.reports.account import Account

VERSION = 1
"""Version of the file's form; it grows when a reader would have to change."""


def render_verdict(account: Account, *, evidence_text: str) -> str:
    """The text of `verdict.json`.

    Args:
        account: What to say.
        evidence_text: The text of `evidence.jsonl`, whose digest ties the two together.
    """
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
        "evidence_sha256": hashlib.sha256(evidence_text.encode()).hexdigest(),
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
