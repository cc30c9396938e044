"""The ordered record of one run: what was to run, what was seen, how each check ended."""

from deployment_gate.evidence.journal import Journal, merge_journals, read_journal, write_evidence
from deployment_gate.evidence.observation import Observation, ObservationKind
from deployment_gate.evidence.record import (
    CheckOutcome,
    Evidence,
    GivenVerdict,
    Outcome,
    PlannedCheck,
    Run,
    RunEnd,
    Severity,
)
from deployment_gate.evidence.redaction import Redactor

__all__ = [
    "CheckOutcome",
    "Evidence",
    "GivenVerdict",
    "Journal",
    "Observation",
    "ObservationKind",
    "Outcome",
    "PlannedCheck",
    "Redactor",
    "Run",
    "RunEnd",
    "Severity",
    "merge_journals",
    "read_journal",
    "write_evidence",
]
