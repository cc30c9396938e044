"""Judging evidence by a policy: pure functions without clock, network or files."""

from deployment_gate.judgement.indicators import Judged, Reading, read_health
from deployment_gate.judgement.states import TriggerState
from deployment_gate.judgement.triggers import TriggerResult, undecided_subjects
from deployment_gate.judgement.verdict import ENDED_NORMALLY, Decision, Reason, Verdict, judge

__all__ = [
    "ENDED_NORMALLY",
    "Decision",
    "Judged",
    "Reading",
    "Reason",
    "TriggerResult",
    "TriggerState",
    "Verdict",
    "judge",
    "read_health",
    "undecided_subjects",
]
