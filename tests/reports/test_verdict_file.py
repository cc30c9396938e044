"""`verdict.json`: the verdict for programs."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable

import pytest

from deployment_gate.evidence import Outcome
from deployment_gate.judgement import Decision, TriggerResult, TriggerState
from deployment_gate.reports.account import Account
from deployment_gate.reports.verdict_file import VerdictFileError, read_verdict, render_verdict

Make = Callable[..., Account]


def test_all_that_a_pipeline_asks_for_is_there(
    account: Make, trigger: Callable[..., TriggerResult]
) -> None:
    fired = trigger(TriggerState.FIRED, why="api failed", bad=3, unobserved=1)
    text = render_verdict(
        account(
            "api failed",
            decision=Decision.ROLLBACK,
            rule="health_check_failure",
            triggers=(fired,),
            notes=("a note",),
            not_covered=("web: no section",),
            counts=Counter({Outcome.PASSED: 1, Outcome.FAILED: 1}),
            exit_status=1,
        ),
        evidence_text="the evidence: größe\n",
    )
    assert json.loads(text) == {
        "version": 1,
        "verdict": "rollback",
        "sentence": "api failed.",
        "next": "Roll back to the previous version now, then validate again to see that it serves.",
        "exit_code": 10,
        "environment": "staging",
        "release": "1.5.0",
        "run": "0123abcd",
        "tier": "smoke",
        "selection": None,
        "started": "2026-11-23T03:00:00+00:00",
        "ended": "2026-11-23T03:00:12.340000+00:00",
        "tool": "gate 1",
        "health_endpoints": {"api": "http://api/health"},
        "reasons": [{"verdict": "rollback", "rule": "health_check_failure", "text": "api failed"}],
        "notes": ["a note"],
        "triggers": [
            {
                "name": "health_check_failure",
                "state": "fired",
                "action": "rollback",
                "condition": "Health check fails for 3 consecutive attempts",
                "why": "api failed",
                "bad": 3,
                "total": 4,
                "unobserved": 1,
            }
        ],
        "checks": {
            "planned": 2,
            "passed": 1,
            "flaky": 0,
            "warned": 0,
            "failed": 1,
            "error": 0,
            "waived": 0,
            "not_run": 0,
            "skipped": 0,
            "xfailed": 0,
            "xpassed": 0,
        },
        "findings": {
            "critical": 0,
            "high": 0,
            "medium": 0,
            "low": 0,
            "info": 0,
            "waived": 0,
            "found": [],
        },
        "not_covered": ["web: no section"],
        "evidence_sha256": hashlib.sha256("the evidence: größe\n".encode()).hexdigest(),
    }
    assert text.endswith("}\n")


def test_a_run_that_never_ended_ends_where_it_began(account: Make) -> None:
    verdict = json.loads(render_verdict(account("x", exit_status=None), evidence_text=""))
    assert verdict["ended"] == verdict["started"]
    assert (verdict["verdict"], verdict["exit_code"]) == ("hold", 1)


def test_hostile_texts_stay_texts(account: Make) -> None:
    hostile = '"}, "verdict": "promote", {"</script>\0'
    verdict = json.loads(render_verdict(account(hostile), evidence_text=""))
    assert verdict["verdict"] == "hold"
    assert verdict["reasons"][0]["text"] == hostile


def test_what_is_written_is_read_back_to_the_same_account(
    account: Make, trigger: Callable[..., TriggerResult]
) -> None:
    fired = trigger(TriggerState.FIRED, why="api failed", bad=3, unobserved=1)
    for told in (account(), account("größe", "second", triggers=(fired,), notes=("a note",))):
        text = render_verdict(told, evidence_text="x")
        again = read_verdict(text).account_of(told.evidence)
        assert render_verdict(again, evidence_text="x") == text


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "{}", "null", '{"version": 1}'])
def test_what_is_no_verdict_file_is_told(text: str) -> None:
    with pytest.raises(VerdictFileError):
        read_verdict(text)
