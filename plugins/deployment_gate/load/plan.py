"""What a load is to be: the plan that Locust's processes are given."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

VARIABLE = "DEPLOYMENT_GATE_LOAD"
"""The environment variable in which Locust's processes find the plan, as JSON."""

OUTPUT_VARIABLE = "DEPLOYMENT_GATE_LOAD_OUTPUT"
"""Where the master writes its seconds: a file descriptor's number, or a path."""

USERNAME_VARIABLE = "DEPLOYMENT_GATE_LOAD_USERNAME"
PASSWORD_VARIABLE = "DEPLOYMENT_GATE_LOAD_PASSWORD"  # noqa: S105 -- a variable's name


@dataclass(frozen=True, slots=True)
class Stage:
    """One level of load.

    Args:
        duration_s: How long it lasts, in seconds.
        arrival_rate: Requests per second, of all users together.
        users: How many users there are.
    """

    duration_s: float
    arrival_rate: float
    users: int

    def __post_init__(self) -> None:
        for name, value in (("duration_s", self.duration_s), ("arrival_rate", self.arrival_rate)):
            if not math.isfinite(value) or value <= 0:
                raise ValueError(f"a stage's {name} is a number above 0, not {value}")
        if self.users < 1:
            raise ValueError(f"a stage has at least 1 user, not {self.users}")


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """A load from its beginning to its end.

    Args:
        name: The scenario's in the environment file.
        host: The target's base address.
        stages: The levels of load, one after the other.
        spawn_rate: Users that begin in each second.
        warm_up_s: Seconds after the first user begins that statistics leave out.
        timeout_s: How long one request may take, in seconds.
    """

    name: str
    host: str
    stages: tuple[Stage, ...]
    spawn_rate: float
    warm_up_s: float
    timeout_s: float

    def __post_init__(self) -> None:
        if not self.stages:
            raise ValueError("a load has at least one stage")
        for name, value in (("spawn_rate", self.spawn_rate), ("timeout_s", self.timeout_s)):
            if not math.isfinite(value) or value <= 0:
                raise ValueError(f"a load's {name} is a number above 0, not {value}")

    @property
    def duration_s(self) -> float:
        """How long the whole load lasts, in seconds."""
        return sum(stage.duration_s for stage in self.stages)

    @property
    def users(self) -> int:
        """The most users of any stage."""
        return max(stage.users for stage in self.stages)

    def level_at(self, t_s: float) -> Stage:
        """The stage that a moment belongs to.

        Args:
            t_s: Seconds since the load began. Before and after it, the first and the last stage.
        """
        end_s = 0.0
        for stage in self.stages:
            end_s += stage.duration_s
            if t_s < end_s:
                return stage
        return self.stages[-1]

    def to_json(self) -> str:
        """The plan as Locust's processes read it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "LoadPlan":
        """The plan that `to_json` wrote.

        Raises:
            ValueError: It is not one.
        """
        try:
            value: Any = json.loads(text)
            stages = tuple(_stage(stage) for stage in value["stages"])
            return cls(
                name=str(value["name"]),
                host=str(value["host"]),
                stages=stages,
                spawn_rate=float(value["spawn_rate"]),
                warm_up_s=float(value["warm_up_s"]),
                timeout_s=float(value["timeout_s"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"this is no plan of a load ({error!r}): {text[:200]}") from error


def _stage(value: Mapping[str, Any]) -> Stage:
    return Stage(
        duration_s=float(value["duration_s"]),
        arrival_rate=float(value["arrival_rate"]),
        users=int(value["users"]),
    )
