"""What the gate itself looks at: each replica's release, and every health endpoint."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from deployment_gate.environment import Consecutive, Environment, Policy
from deployment_gate.evidence import Observation, ObservationKind
from deployment_gate.judgement import Reading, read_health, undecided_subjects
from deployment_gate.probes.health import health_probe, looks_cached, past_the_cache
from deployment_gate.probes.release import release_probes
from deployment_gate.probes.sampler import Probe, Sampler

_CACHE_PAUSE_S = 1.1
"""Between two answers whose timestamps must differ; many clocks only tell whole seconds."""

_NAMED = 5
"""How many suspects the terminal names."""


class Preflight:
    """Looks at the platform before the checks, and once more after them."""

    def __init__(
        self,
        environment: Environment,
        policy: Policy,
        *,
        sampler: Sampler,
        observe: Callable[..., None],
        say: Callable[[str], None],
    ) -> None:
        self._policy = policy
        self._sampler = sampler
        self._observe = observe
        self._say = say
        self._release_probes = [
            probe
            for name, endpoint in environment.release_identity.items()
            for probe in release_probes(name, endpoint)
        ]
        self._health_probes = {
            name: health_probe(name, endpoint)
            for name, endpoint in environment.health_endpoints.items()
        }
        self._at_once = environment.sampler.concurrency
        self._silent: set[str] = set()
        self._last: dict[str, Observation] = {}

    def look(self, endpoints: Iterable[str], *, with_release: bool) -> None:
        """Ask everything at once, so that all of it costs about the slowest answer.

        Health endpoints that fail are asked again, at their trigger's interval, until the
        trigger has fired or cleared, or its timeout has passed.

        Args:
            endpoints: The health endpoints to ask, by name.
            with_release: Whether each replica is to name its release, too.
        """
        names = list(dict.fromkeys(endpoints))
        self._until_decided(self._ask(names, self._release_probes if with_release else ()))

    def look_again(self, *, with_release: bool) -> None:
        """What was well before the checks must be so after them: a crash may take a moment.

        As many endpoints as go in one go are asked, and of the releases those that answered:
        a rollout may have gone on meanwhile.

        Args:
            with_release: Whether each replica is to name its release, too.
        """
        releases = [probe for probe in self._release_probes if probe.subject not in self._silent]
        well = [name for name, observation in self._last.items() if self._is_well(observation)]
        self._until_decided(self._ask(well[: self._at_once], releases if with_release else ()))

    def _until_decided(self, observations: list[Observation]) -> None:
        """Ask the suspects among what was seen again, until their trigger is decided."""
        started = time.monotonic()
        interval_s, timeout_s = self._attempts()
        while suspects := sorted(undecided_subjects(self._policy, observations)):
            left_s = timeout_s - (time.monotonic() - started)
            if left_s < interval_s:
                return
            more = f" and {len(suspects) - _NAMED} more" if len(suspects) > _NAMED else ""
            self._say(
                f"suspected: {', '.join(suspects[:_NAMED])}{more}; asking again in "
                f"{interval_s:g} s, for {left_s:.0f} s at most"
            )
            time.sleep(interval_s)
            observations += self._ask(suspects, ())

    def _is_well(self, observation: Observation) -> bool:
        rule = self._policy.health_endpoints[observation.subject]
        return read_health(observation, rule).reading is Reading.GOOD

    def _attempts(self) -> tuple[float, float]:
        """How long between two attempts, and for how long in all, by the health trigger."""
        rules = [rule for rule in self._policy.triggers if isinstance(rule.condition, Consecutive)]
        return (
            min((rule.interval_s for rule in rules), default=0.0),
            max((rule.timeout_s for rule in rules), default=0.0),
        )

    def _ask(self, names: Sequence[str], release_probes: Sequence[Probe]) -> list[Observation]:
        """One round, with what a cache may have answered asked again past the cache."""
        probes = [self._health_probes[name] for name in names]
        observations = self._sampler.round([*probes, *release_probes])
        now = datetime.now(UTC)
        doubtful = {one.subject: one for one in observations if looks_cached(one.facts, now=now)}
        if doubtful:
            time.sleep(_CACHE_PAUSE_S)
            again = self._sampler.round(
                [past_the_cache(self._health_probes[name]) for name in doubtful]
            )
            fresh = {one.subject: _compared(doubtful[one.subject], one) for one in again}
            observations = [
                fresh.get(one.subject, one) if one.kind is ObservationKind.HEALTH else one
                for one in observations
            ]
        self._silent |= {
            one.subject
            for one in observations
            if one.kind is ObservationKind.RELEASE and one.status is None
        }
        self._last |= {
            one.subject: one for one in observations if one.kind is ObservationKind.HEALTH
        }
        self._observe(*observations)
        return observations


def _compared(first: Observation, second: Observation) -> Observation:
    """The second answer, with `is_old` where it too came from a cache or never changes."""
    old = second.facts.get("cached")
    moment = second.facts.get("timestamp")
    if not old and moment is not None and moment == first.facts.get("timestamp"):
        old = f"its timestamp {moment} doesn't move"
    if not old:
        return second
    return replace(second, facts={**second.facts, "is_old": old})
