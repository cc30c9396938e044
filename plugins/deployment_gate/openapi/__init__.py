"""OpenAPI documents: what they say, whether answers fit it, what of it has changed."""

from deployment_gate.openapi.changes import breaking_changes
from deployment_gate.openapi.conformance import undocumented_fields, violations
from deployment_gate.openapi.document import Document, DocumentError
from deployment_gate.openapi.operations import Operation
from deployment_gate.openapi.saved import read_document
from deployment_gate.openapi.sweep import Finding, SweepResult, sweep

__all__ = [
    "Document",
    "DocumentError",
    "Finding",
    "Operation",
    "SweepResult",
    "breaking_changes",
    "read_document",
    "sweep",
    "undocumented_fields",
    "violations",
]
