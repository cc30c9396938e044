"""Judging evidence by a policy: pure functions without clock, network or files."""

from deployment_gate.judgement.baseline import baseline_of
from deployment_gate.judgement.confidence import is_surely_above
from deployment_gate.judgement.findings import JudgedFinding, Standing, is_failed_by, weigh
from deployment_gate.judgement.indicators import Judged, Reading, read_health
from deployment_gate.judgement.reasons import Decision, Reason
from deployment_gate.judgement.states import TriggerState
from deployment_gate.judgement.streams import Seen, can_be_judged, streams_of, trigger_of_check
from deployment_gate.judgement.triggers import (
    Suspicion,
    TriggerResult,
    judge_trigger,
    suspicions,
)
from deployment_gate.judgement.verdict import ENDED_NORMALLY, Verdict, judge
from deployment_gate.judgement.waivers import Acceptance, Accepted, waiver_on

__all__ = [
    "ENDED_NORMALLY",
    "Acceptance",
    "Accepted",
    "Decision",
    "Judged",
    "JudgedFinding",
    "Reading",
    "Reason",
    "Seen",
    "Standing",
    "Suspicion",
    "TriggerResult",
    "TriggerState",
    "Verdict",
    "baseline_of",
    "can_be_judged",
    "is_failed_by",
    "is_surely_above",
    "judge",
    "judge_trigger",
    "read_health",
    "streams_of",
    "suspicions",
    "trigger_of_check",
    "waiver_on",
    "weigh",
]
