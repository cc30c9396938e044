"""What checks are repeated for: each health endpoint, list, identity, journey of an environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.mark.structures import ParameterSet

    from deployment_gate.environment import Environment, Journey, WebJourney, WebTarget


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
    if environment.web is not None and fixture in _OF_WEB:
        return _OF_WEB[fixture](environment.web)
    if environment.load is not None and fixture in _OF_LOAD:
        return _loads(environment, is_rising=_OF_LOAD[fixture])
    names: Mapping[str, Mapping[str, object]] = {
        "health_endpoint": environment.health_endpoints,
        "identity": api.identities if api else {},
        "collection": api.collections if api else {},
        "fact": api.facts if api else {},
        "database": environment.databases,
        "cache_server": environment.caches,
        "tls_server": environment.tls_servers,
        "open_address": environment.open_addresses,
        "plain_http": environment.plain_http,
        **{name: {} for name in (*_OF_WEB, *_OF_LOAD)},
    }
    if fixture not in names:
        return None
    return [pytest.param(name, id=name) for name in names[fixture]]


def _web_journeys(web: WebTarget) -> list[ParameterSet]:
    return [pytest.param(name, id=name, marks=_marks_of(one)) for name, one in web.journeys.items()]


def _web_pages(web: WebTarget) -> list[ParameterSet]:
    return [
        pytest.param(name, id=name, marks=_smoke_where(name in web.smoke_pages))
        for name in web.shown
    ]


def _web_speeds(web: WebTarget) -> list[ParameterSet]:
    return [pytest.param(name, id=name) for name in web.shown]


def _web_views(web: WebTarget) -> list[ParameterSet]:
    return [
        pytest.param((name, device), id=f"{name}-{device}")
        for name in web.shown
        for device in web.devices
    ]


_OF_WEB = {
    "web_journey": _web_journeys,
    "web_page": _web_pages,
    "visited_page": _web_pages,
    "page_speed": _web_speeds,
    "web_view": _web_views,
}


_OF_LOAD = {"load_seen": False, "rising_load_seen": True}
"""The fixtures of loads: whether theirs is one that rises until a target breaks."""

_BESIDE_LOAD_S = 120.0
"""What a load takes at most beside its own time: processes to start and end, a look before."""


def _loads(environment: Environment, *, is_rising: bool) -> list[ParameterSet]:
    """Scenarios, one way or the other; the check that comes first waits for its load."""
    scenarios = environment.load.scenarios if environment.load else {}
    return [
        pytest.param(
            name,
            id=name,
            marks=[pytest.mark.load, pytest.mark.timeout(one.duration_s + _BESIDE_LOAD_S)],
        )
        for name, one in scenarios.items()
        if bool(one.rising) is is_rising
    ]


def _marks_of(journey: Journey | WebJourney) -> list[pytest.MarkDecorator]:
    return [*_smoke_where(journey.smoke), *([pytest.mark.writes] if journey.writes else [])]


def _smoke_where(is_set: bool) -> list[pytest.MarkDecorator]:  # noqa: FBT001  # its only argument
    return [pytest.mark.smoke] if is_set else []
