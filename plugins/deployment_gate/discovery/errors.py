"""What can keep a first environment file from being written."""

from deployment_gate.errors import GateError


class DiscoveryError(GateError):
    """No environment file could be written; what to do about it."""
