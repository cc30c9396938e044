"""What a fault is: its sentence, what it gives the platform, and where it works."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from sandbox.flaws import Flaw
from sandbox.interference import Exchange

# What is set: the fault's name, and its value or None where it takes none.
FaultSettings = Mapping[str, float | None]


class Part(Enum):
    """The process that a fault works in."""

    API = "api"
    WEB = "web"


@dataclass(slots=True, frozen=True)
class Value:
    """The number that a fault takes: what it means, its default and its bounds."""

    meaning: str
    default: float
    highest: float
    lowest: float = 0.0


@dataclass(slots=True, frozen=True)
class Fault:
    """One way to break the platform; it gives it flaws, or stands around each request."""

    name: str
    sentence: str
    flaws: tuple[Flaw, ...] = ()
    around: Callable[[Exchange], Awaitable[None]] | None = None
    value: Value | None = None
    parts: frozenset[Part] = frozenset({Part.API})
    needs_tls: bool = False

    @property
    def form(self) -> str:
        """How the fault is written on the command line."""
        return f"{self.name}={self.value.default:g}" if self.value else self.name
