"""The ordered record of one run: what was to run, what was seen, how each check ended."""

from deployment_gate.evidence.finding import Finding, FindingSeverity
from deployment_gate.evidence.journal import (
    EvidenceError,
    Journal,
    merge_journals,
    read_journal,
    write_evidence,
)
from deployment_gate.evidence.lines import Record
from deployment_gate.evidence.observation import Observation, ObservationKind
from deployment_gate.evidence.record import (
    FROM_BEST_TO_WORST,
    Baseline,
    CheckOutcome,
    Evidence,
    GivenVerdict,
    Outcome,
    PlannedCheck,
    Run,
    RunEnd,
    Severity,
)
from deployment_gate.evidence.redaction import REDACTED, Redactor
from deployment_gate.evidence.shards import FARTHEST_APART, MergedShards, merge_shards

__all__ = [
    "FARTHEST_APART",
    "FROM_BEST_TO_WORST",
    "REDACTED",
    "Baseline",
    "CheckOutcome",
    "Evidence",
    "EvidenceError",
    "Finding",
    "FindingSeverity",
    "GivenVerdict",
    "Journal",
    "MergedShards",
    "Observation",
    "ObservationKind",
    "Outcome",
    "PlannedCheck",
    "Record",
    "Redactor",
    "Run",
    "RunEnd",
    "Severity",
    "merge_journals",
    "merge_shards",
    "read_journal",
    "write_evidence",
]
