"""The `load` section: how much is asked of the platform at once, by whom, and what ends it."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Self, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from deployment_gate.environment.fields import (
    BaseUrl,
    Count,
    Duration,
    Name,
    Secret,
    Share,
    Text,
    Written,
    as_tuple,
)
from deployment_gate.environment.sections import Section
from deployment_gate.environment.variables import Substituted, as_written
from deployment_gate.environment.yaml_source import typed_scalar

_PORTS = range(1, 65_536)
_BIND = re.compile(r"(?P<host>[0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})", re.ASCII)
# More would be a rise without steps, and one report line for each.
_LEVELS = 200


@dataclass(frozen=True, slots=True)
class HostPort:
    """Where a process listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class LoadLevel:
    """So much load for so long.

    Attributes:
        duration_s: How long, in seconds.
        arrival_rate: Requests per second of all users together.
        users: How many there are at once.
    """

    duration_s: float
    arrival_rate: float
    users: int


def _read_bind(value: object) -> HostPort:
    if isinstance(value, HostPort):
        return value
    found = _BIND.fullmatch(value) if isinstance(value, str) else None
    if found is None or int(found["port"]) not in _PORTS:
        raise ValueError(f"{as_written(value)} is no host with a port. Write 0.0.0.0:5557")
    return HostPort(found["host"].strip("[]"), int(found["port"]))


def _inside_the_project(value: object) -> object:
    """Refuse files elsewhere: a locustfile is code, which is reviewed with the project."""
    if isinstance(value, str):
        path = PurePosixPath(value)
        if path.suffix != ".py" or path.is_absolute() or ".." in path.parts:
            raise ValueError(
                f"{as_written(value)} is no Python file of this project. Write its path from the "
                "project's folder, as in validation/performance/locustfile.py"
            )
    return value


def _typed(value: object) -> object:
    return typed_scalar(value) if isinstance(value, Substituted) else value


# The bounds stand first: pydantic tells editors only of those that stand right behind the type.
Rate: TypeAlias = Annotated[
    float, Field(ge=0.1, le=100_000, allow_inf_nan=False), BeforeValidator(_typed)
]
SampleRate: TypeAlias = Annotated[
    float, Field(ge=0.1, le=100, allow_inf_nan=False), BeforeValidator(_typed)
]
CountOrNone: TypeAlias = Annotated[int, Field(ge=0, le=10_000), BeforeValidator(_typed)]
Port: TypeAlias = Annotated[int, Field(ge=_PORTS.start, le=_PORTS[-1]), BeforeValidator(_typed)]
Bind: TypeAlias = Annotated[
    HostPort, Written(_read_bind, {"type": "string", "examples": ["0.0.0.0:5557"]}, str)
]
ProjectFile: TypeAlias = Annotated[Text, BeforeValidator(_inside_the_project)]


class LoadStage(Section):
    """One stretch of a scenario."""

    duration: Duration
    """How long it takes."""
    arrival_rate: Rate
    """How many requests arrive each second, of all users together."""
    users: Count | None = None
    """How many users there are; unset: as many as the scenario has."""


Stages: TypeAlias = Annotated[tuple[LoadStage, ...], BeforeValidator(as_tuple)]


class Rising(Section):
    """Load that rises level by level until a target breaks."""

    start: Rate
    """The requests per second of the first level."""
    step: Rate
    """How many more each further level has."""
    every: Duration
    """How long a level takes."""
    up_to: Rate
    """The requests per second of the last level, whether or not anything broke."""

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.up_to <= self.start:
            raise ValueError(
                f"rises from {self.start:g} up to {self.up_to:g} requests/second, which is no "
                "rise. Write a higher `up_to`"
            )
        if self._steps >= _LEVELS:
            raise ValueError(
                f"has {self._steps + 1} levels, and {_LEVELS} are the most. Write a larger `step`"
            )
        return self

    def rates(self) -> tuple[float, ...]:
        """Answer the requests per second of each level; the last is `up_to` in any case."""
        below = [self.start + number * self.step for number in range(self._steps)]
        return (*below, self.up_to)

    @property
    def _steps(self) -> int:
        # What floats leave over is no step of its own.
        return math.ceil((self.up_to - self.start) / self.step - 1e-9)


class Scenario(Section):
    """One kind of load: constant, in stages, or rising."""

    description: str = ""
    """What it shows, for people."""
    users: Count
    """How many users there are at once. Where the load rises: at its first level; there are more
    at each further one, so that a user's own pace stays as it is."""
    spawn_rate: Rate = 10.0
    """How many users begin each second."""
    duration: Duration | None = None
    """How long constant load takes."""
    arrival_rate: Rate | None = None
    """How many requests arrive each second of constant load, of all users together."""
    stages: Stages = ()
    """Load that changes: one stretch after another."""
    rising: Rising | None = None
    """Load that rises until a target breaks."""
    warm_up: Duration | None = None
    """How much of its beginning doesn't count; unset: until all users of the first level are
    there."""

    @model_validator(mode="after")
    def _has_one_course(self) -> Self:
        constant = [key for key in ("duration", "arrival_rate") if getattr(self, key) is not None]
        courses = [
            *([" and ".join(f"`{key}`" for key in constant)] if constant else []),
            *(f"`{key}`" for key in ("stages", "rising") if getattr(self, key)),
        ]
        if len(courses) == 1 and len(constant) != 1:
            return self
        has = " beside ".join(courses) or "nothing"
        raise ValueError(
            f"says by {has} how its load goes. Write `duration` and `arrival_rate`, or `stages`, "
            "or `rising`: one of the three"
        )

    def levels(self) -> tuple[LoadLevel, ...]:
        """Answer its load, level by level."""
        return tuple(self._levels())

    def _levels(self) -> Iterator[LoadLevel]:
        if self.rising:
            for rate in self.rising.rates():
                users = math.ceil(self.users * rate / self.rising.start - 1e-9)
                yield LoadLevel(self.rising.every.total_seconds(), rate, users)
        elif self.duration and self.arrival_rate:
            yield LoadLevel(self.duration.total_seconds(), self.arrival_rate, self.users)
        for stage in self.stages:
            yield LoadLevel(
                stage.duration.total_seconds(), stage.arrival_rate, stage.users or self.users
            )

    @property
    def duration_s(self) -> float:
        """How long all of it takes, in seconds."""
        return math.fsum(level.duration_s for level in self.levels())

    @property
    def warm_up_s(self) -> float:
        """How much of its beginning doesn't count, in seconds."""
        if self.warm_up:
            return self.warm_up.total_seconds()
        return self.levels()[0].users / self.spawn_rate


class WatchedProcess(Section):
    """A process on this machine whose use of it is watched, with the processes that it started."""

    port: Port | None = None
    """The port that it listens on."""
    pid_file: Text | None = None
    """The file that holds its number."""

    @model_validator(mode="after")
    def _is_found_in_one_way(self) -> Self:
        if (self.port is None) == (self.pid_file is None):
            raise ValueError("is found in one way. Write `port` or `pid_file`")
        return self


class PrometheusServer(Section):
    """Where the use of the platform's machines is recorded.

    Each query (PromQL) answers shares from 0 to 1, one series for each machine.
    """

    url: BaseUrl
    """Where Prometheus is."""
    token: Secret | None = None
    """What it is asked with as a bearer token, from the process environment: ${NAME}."""
    label: Text = "instance"
    """The label of a series that names the machine."""
    cpu: Text | None = None
    """The share of the processors that is in use."""
    memory: Text | None = None
    """The share of the memory that is in use."""
    disk: Text | None = None
    """The share of the disk that is in use."""

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.queries():
            raise ValueError("asks nothing. Write a query for `cpu`, `memory` or `disk`")
        return self

    def queries(self) -> Mapping[str, str]:
        """Answer the queries by what they tell: cpu, memory, disk."""
        asked = {"cpu": self.cpu, "memory": self.memory, "disk": self.disk}
        return {name: query for name, query in asked.items() if query}


class Resources(Section):
    """How the use of machines is seen while there is load."""

    processes: Mapping[Name, WatchedProcess] = {}
    """Processes on this machine, by name."""
    prometheus: PrometheusServer | None = None
    """What watches the platform's machines."""


class Load(Section):
    """How load is put on the platform, within which bounds."""

    base_url: BaseUrl | None = None
    """What is asked, on a host that the environment names elsewhere; unset: the API."""
    locustfile: ProjectFile = "validation/performance/locustfile.py"
    """What its users do, by its path in the project: Locust's own kind of file."""
    identity: Name | None = None
    """Which of the API's identities signs in; unset: the first that has a password."""
    workers: Count = 1
    """How many processes on this machine make the load."""
    expect_workers: CountOrNone = 0
    """How many processes on other machines are waited for, which make it, too."""
    master_bind: Bind | None = None
    """Where those report to: an address of this machine, with a port."""
    request_timeout: Duration | None = None
    """How long an answer may take; unset: as long as that of a check."""
    stop_above: Share = 0.5
    """The share of answers that are errors above which load stops at once."""
    most_rate: Rate
    """The requests per second that no scenario may exceed."""
    most_duration: Duration
    """The time that no scenario may exceed."""
    sample_rate: SampleRate = 20.0
    """How many requests per second measure latency beside the load, in a process that makes none;
    they come on top of it."""
    resources: Resources = Field(default_factory=Resources)
    """How the use of machines is seen meanwhile; unset: it isn't."""
    scenarios: Annotated[Mapping[Name, Scenario], Field(min_length=1)]
    """The kinds of load, by name."""
