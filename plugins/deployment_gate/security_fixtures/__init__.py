"""The fixtures that checks of security are written with, a module for each kind of check."""

from deployment_gate.security_fixtures import (
    access,
    contract,
    exposure,
    headers,
    judging,
    transport,
)

MODULES = (judging, transport, headers, access, exposure, contract)
"""Those that pytest is to know."""
