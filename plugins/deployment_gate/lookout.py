"""What the gate itself looks at: each replica's release, and every health endpoint."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

from deployment_gate.evidence import REDACTED, Observation, ObservationKind
from deployment_gate.judgement import Reading, read_health
from deployment_gate.probes.control import controlled_round
from deployment_gate.probes.health import health_probe, looks_cached, past_the_cache
from deployment_gate.probes.release import release_probes
from deployment_gate.probes.sampler import Probe, Sampler

if TYPE_CHECKING:
    from deployment_gate.environment import Environment, Policy

_CACHE_PAUSE_S = 1.1
"""Between two answers whose timestamps must differ; many clocks only tell whole seconds."""

_REFUSED = frozenset({401, 403})


class Lookout:
    """Looks at the platform before the checks, after them, and while something is suspected."""

    def __init__(
        self,
        environment: Environment,
        policy: Policy,
        *,
        sampler: Sampler,
        observe: Callable[..., None],
        headers_of: Callable[[str], Mapping[str, str]],
    ) -> None:
        self._policy = policy
        self._sampler = sampler
        self._observe = observe
        self._headers_of = headers_of
        self._controls = environment.sampler.controls
        self._request_timeout_s = environment.request_timeout.total_seconds()
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
        self._random = Random()  # noqa: S311  # nothing secret hangs on it
        self._silent: set[str] = set()
        self._last: dict[str, Observation] = {}

    def look(self, endpoints: Iterable[str], *, with_release: bool) -> list[Observation]:
        """Ask everything at once, so that all of it costs about the slowest answer.

        Args:
            endpoints: The health endpoints to ask, by name.
            with_release: Whether each replica is to name its release, too.
        """
        names = list(dict.fromkeys(endpoints))
        return self._ask(names, self._release_probes if with_release else ())

    def look_again(self, *, with_release: bool) -> list[Observation]:
        """What was well before the checks must be so after them: a crash may take a moment.

        As many endpoints as go in one go are asked, and of the releases those that answered:
        a rollout may have gone on meanwhile.

        Args:
            with_release: Whether each replica is to name its release, too.
        """
        releases = [probe for probe in self._release_probes if probe.subject not in self._silent]
        well = [name for name, observation in self._last.items() if self._is_well(observation)]
        return self._ask(well[: self._at_once], releases if with_release else ())

    def look_at(self, suspects: Iterable[Observation]) -> list[Observation]:
        """Ask for what is suspected once more, and beside it what shows if this runner is well.

        Args:
            suspects: What was seen of each of them, which must be what can be asked again.
        """
        suspects = list(suspects)
        names = [one.subject for one in suspects if one.kind is ObservationKind.HEALTH]
        by_name = {probe.subject: probe for probe in self._release_probes}
        others = [by_name[one.subject] for one in suspects if one.kind is ObservationKind.RELEASE]
        requests = [one for one in suspects if one.kind is ObservationKind.REQUEST]
        if len(requests) > self._at_once:
            # Drawn anew each time, so that a share of them stays what it is of all.
            requests = self._random.sample(requests, self._at_once)
        others += map(self._probe_of, requests)
        return self._ask(names, others, is_controlled=True)

    def can_look_at(self, seen: Observation) -> bool:
        """Whether it can be asked again: of requests, plain ones that no secret was cut from."""
        match seen.kind:
            case ObservationKind.HEALTH:
                return seen.subject in self._health_probes
            case ObservationKind.RELEASE:
                return any(probe.subject == seen.subject for probe in self._release_probes)
            case ObservationKind.REQUEST:
                return bool(seen.facts.get("repeatable")) and REDACTED not in seen.facts["url"]
        return False

    def _probe_of(self, seen: Observation) -> Probe:
        identity = seen.facts.get("identity")
        return Probe(
            subject=seen.subject,
            kind=ObservationKind.REQUEST,
            url=seen.facts["url"],
            timeout_s=self._request_timeout_s,
            headers=self._headers_of(identity) if identity else {},
            read=lambda _answer: {"confirms": seen.status, **seen.facts},
        )

    def _is_well(self, observation: Observation) -> bool:
        rule = self._policy.health_endpoints[observation.subject]
        return read_health(observation, rule).reading is Reading.GOOD

    def _ask(
        self, names: Sequence[str], others: Sequence[Probe], *, is_controlled: bool = False
    ) -> list[Observation]:
        """One round, with what a cache may have answered asked again past the cache."""
        probes = [*(self._health_probes[name] for name in names), *others]
        if is_controlled:
            observations = controlled_round(self._sampler, probes, self._controls)
        else:
            observations = self._sampler.round(probes)
        now = datetime.now(UTC)
        doubtful = {
            one.subject: one
            for one in observations
            if one.kind is ObservationKind.HEALTH and looks_cached(one.facts, now=now)
        }
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
        observations = [_without_rights(one) for one in observations]
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


def _without_rights(seen: Observation) -> Observation:
    """Who is no longer let in sees nothing of what the check saw that was."""
    # What the check itself was answered, however often it was asked since.
    was = seen.facts.get("confirms", seen.status)
    if was in _REFUSED or seen.status not in _REFUSED:
        return seen
    return replace(seen, unobserved=f"asked again, it answered {seen.status}: not let in any more")
