"""What checks are repeated for: each health endpoint, list, identity, journey of an environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.mark.structures import ParameterSet

    from deployment_gate.environment import Environment, Journey


def parameters_of(fixture: str, environment: Environment) -> list[ParameterSet] | None:
    """What a check that takes one of the gate's fixtures is repeated for; None for other fixtures.

    Args:
        fixture: The fixture's name.
        environment: What is validated.
    """
    api = environment.api
    if fixture == "journey":
        journeys = api.journeys if api else {}
        return [
            pytest.param(name, id=name, marks=_marks_of(journey))
            for name, journey in journeys.items()
        ]
    names: Mapping[str, Mapping[str, object]] = {
        "health_endpoint": environment.health_endpoints,
        "identity": api.identities if api else {},
        "collection": api.collections if api else {},
        "fact": api.facts if api else {},
        "database": environment.databases,
        "cache_server": environment.caches,
    }
    if fixture not in names:
        return None
    return [pytest.param(name, id=name) for name in names[fixture]]


def _marks_of(journey: Journey) -> list[pytest.MarkDecorator]:
    marks = {"smoke": journey.smoke, "writes": journey.writes}
    return [getattr(pytest.mark, name) for name, is_set in marks.items() if is_set]
