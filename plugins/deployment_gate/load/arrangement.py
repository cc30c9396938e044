"""What an environment says of load, as the parts of a load need it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from deployment_gate.environment import TargetPhrase
from deployment_gate.environment.terms import Unit
from deployment_gate.evidence import ObservationKind, read_journal
from deployment_gate.evidence.observation import Observation
from deployment_gate.load.generator import LoadGenerator
from deployment_gate.load.plan import LoadPlan, Stage
from deployment_gate.load.resources import (
    LocalProcess,
    NotCovered,
    Prometheus,
    Resource,
    Seen,
    ask_prometheus,
)
from deployment_gate.load.seen import LoadTargets

if TYPE_CHECKING:
    from deployment_gate.environment import Environment, Load


def plan_of(environment: Environment, name: str) -> LoadPlan:
    """What is to be sent by a scenario of the environment.

    Args:
        environment: One with a `load` section.
        name: The scenario's there.
    """
    load = load_of(environment)
    scenario = load.scenarios[name]
    return LoadPlan(
        name=name,
        host=environment.load_address(),
        stages=tuple(
            Stage(level.duration_s, level.arrival_rate, level.users) for level in scenario.levels()
        ),
        spawn_rate=scenario.spawn_rate,
        warm_up_s=scenario.warm_up_s,
        timeout_s=(load.request_timeout or environment.request_timeout).total_seconds(),
    )


def load_of(environment: Environment) -> Load:
    """Its `load` section.

    Raises:
        ValueError: It has none.
    """
    if environment.load is None:
        raise ValueError(f"{environment.name} has no `load` section")
    return environment.load


def generator_of(
    environment: Environment, plan: LoadPlan, *, project: Path, locustfile: str | None = None
) -> LoadGenerator:
    """What makes a load as the environment says.

    Args:
        environment: One with a `load` section.
        plan: What is to be sent.
        project: The folder that the locustfile's path is from.
        locustfile: What users do, if not what the environment says.
    """
    load = load_of(environment)
    who = environment.load_identity()
    identity = environment.api.identities[who] if environment.api and who else None
    return LoadGenerator(
        plan,
        project / (locustfile or load.locustfile),
        workers=load.workers,
        expect_workers=load.expect_workers,
        master_bind=load.master_bind,
        username=identity.username if identity else None,
        password=identity.password.get_secret_value() if identity and identity.password else None,
        cwd=project,
    )


def targets_of(environment: Environment) -> LoadTargets:
    """The environment's targets that load can tell of."""
    performance = environment.performance_targets
    speeds = performance.response_time.values() if performance else ()
    throughput = performance.throughput.values() if performance else ()
    usage = performance.resource_usage if performance else {}
    errors = [
        metric
        for group in environment.monitoring_metrics.values()
        for name, metric in group.items()
        if name == "error_rate" and isinstance(metric, TargetPhrase)
    ]
    return LoadTargets(
        latency=tuple(one for one in speeds if one.unit is Unit.SECONDS and one.of != "page loads"),
        errors=tuple(errors),
        throughput=tuple(one for one in throughput if one.unit is Unit.REQUESTS_PER_SECOND),
        users=tuple(one for one in throughput if one.unit is Unit.USERS),
        usage={resource: usage[resource] for resource in Resource if resource in usage},
    )


class Machines:
    """What is in use of the platform's machines while there is load.

    Args:
        load: The environment's section.
    """

    def __init__(self, load: Load) -> None:
        self._prometheus = load.resources.prometheus
        self._processes: list[LocalProcess] = []
        self._unseen: list[NotCovered] = []
        for name, one in load.resources.processes.items():
            try:
                pid = int(Path(one.pid_file).read_text(encoding="ascii")) if one.pid_file else None
            except (OSError, ValueError) as error:
                why = f"{one.pid_file} tells no process ({error})"
                self._unseen += [NotCovered(resource, why, where=name) for resource in Resource]
            else:
                self._processes.append(LocalProcess(port=one.port, pid=pid))

    def look(self) -> Seen:
        """Look at the processes of this machine once."""
        looks = [process.look() for process in self._processes]
        return Seen(
            tuple(usage for seen in looks for usage in seen.usages),
            (*self._unseen, *(gap for seen in looks for gap in seen.not_covered)),
        )

    def recorded(self, began: datetime) -> list[Seen]:
        """What Prometheus has of the time since a moment, where it is asked."""
        if self._prometheus is None:
            return []
        token = self._prometheus.token
        server = Prometheus(
            url=self._prometheus.url,
            queries={Resource(name): query for name, query in self._prometheus.queries().items()},
            headers={"Authorization": f"Bearer {token.get_secret_value()}"} if token else None,
            label=self._prometheus.label,
        )
        return [ask_prometheus(server, begin=began, end=datetime.now(UTC))]


def latencies_before(path: Path, scenario: str) -> dict[str, list[float]]:
    """The right answers' latencies of an earlier run by endpoint, in seconds.

    Args:
        path: That run's evidence.
        scenario: The load they belong to.
    """
    found: dict[str, list[float]] = {}
    for record in read_journal(path):
        if (
            isinstance(record, Observation)
            and record.kind is ObservationKind.LOAD
            and record.facts.get("scenario") == scenario
            and record.facts.get("right") is True
        ):
            found.setdefault(record.subject, []).append(record.duration_s)
    return found
