"""The fixtures that checks of databases and caches are written with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeAlias, TypeVar

import pytest

from deployment_gate.environment import CacheTarget, DatabaseTarget, Environment
from deployment_gate.errors import GateError
from deployment_gate.evidence import Observation
from deployment_gate.fixtures import process_key
from deployment_gate.run import USER_AGENT

L = TypeVar("L", DatabaseTarget, CacheTarget)


@dataclass(frozen=True, slots=True, repr=False)
class SeenStore(Generic[L]):
    """What one look at a database or a cache told.

    Attributes:
        name: Its name in the environment file.
        limits: Its section there.
        facts: What it told; when it failed meanwhile, what it told before.
        error: Why it gave no whole answer; its own doing.
    """

    name: str
    limits: L
    facts: Mapping[str, Any]
    error: str | None

    @property
    def not_visible(self) -> Mapping[str, str]:
        """Why facts are told only in part or not at all, by fact."""
        return self.facts.get("not_visible") or {}

    def told(self, fact: str) -> Any:
        """A fact; the check fails where it was not told."""
        if fact in self.facts:
            return self.facts[fact]
        why = self.not_visible.get(fact) or self.error or f"{fact} is not asked of such a store"
        pytest.fail(f"{self.name}: {why}", pytrace=False)

    def __repr__(self) -> str:
        return self.name


SeenDatabase: TypeAlias = SeenStore[DatabaseTarget]
SeenCache: TypeAlias = SeenStore[CacheTarget]


@pytest.fixture(scope="session")
def look_at_database(
    pytestconfig: pytest.Config, environment: Environment
) -> Callable[[str], Observation]:
    """Asks a database by its name, once for all checks of this process."""
    from deployment_gate.probes import database  # noqa: PLC0415  # few runs have one

    def look(name: str) -> Observation:
        return database.look_at_database(name, environment.databases[name], application=USER_AGENT)

    return _observed(pytestconfig, look)


@pytest.fixture(scope="session")
def look_at_cache(
    pytestconfig: pytest.Config, environment: Environment
) -> Callable[[str], Observation]:
    """Asks a cache by its name, once for all checks of this process."""
    from deployment_gate.probes import cache as probe  # noqa: PLC0415  # few runs have one

    return _observed(pytestconfig, lambda name: probe.look_at_cache(name, environment.caches[name]))


@pytest.fixture
def database(
    request: pytest.FixtureRequest,
    environment: Environment,
    look_at_database: Callable[[str], Observation],
) -> SeenDatabase:
    """Each database of the environment in turn, as it was seen."""
    name: str = request.param
    return _seen(environment.databases[name], look_at_database(name))


@pytest.fixture
def cache_server(
    request: pytest.FixtureRequest,
    environment: Environment,
    look_at_cache: Callable[[str], Observation],
) -> SeenCache:
    """Each cache of the environment in turn, as it was seen; `cache` is pytest's own."""
    name: str = request.param
    return _seen(environment.caches[name], look_at_cache(name))


def _observed(
    config: pytest.Config, look: Callable[[str], Observation]
) -> Callable[[str], Observation]:
    """`look`, shared by the checks, on behalf of the one that is the first to ask."""
    process = config.stash[process_key]

    def observe(name: str) -> Observation:
        try:
            observation = replace(look(name), check=process.conduct.check)
        except GateError as error:
            # In a fixture, so that it counts as an error of the run, not as a failed check.
            pytest.fail(f"{name}: {error}", pytrace=False)
        process.conduct.observe(observation)
        return observation

    return lambda name: process.look_once((look, name), lambda: observe(name))


def _seen(limits: L, observation: Observation) -> SeenStore[L]:
    if observation.unobserved:
        # In a fixture, so that it counts as an error of the run, not as a failed check.
        pytest.fail(
            f"{observation.subject} was not observed: {observation.unobserved}", pytrace=False
        )
    return SeenStore(observation.subject, limits, observation.facts, observation.error)
