"""Looking at a platform that nobody described yet, and writing its first environment file."""

from deployment_gate.discovery.account import account_of
from deployment_gate.discovery.environment_file import demand_place, file_of, write_file
from deployment_gate.discovery.errors import DiscoveryError
from deployment_gate.discovery.looking import look_at
from deployment_gate.discovery.names import name_for

__all__ = [
    "DiscoveryError",
    "account_of",
    "demand_place",
    "file_of",
    "look_at",
    "name_for",
    "write_file",
]
