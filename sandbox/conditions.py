"""What a fault can change: the conditions the platform works under, and one request's way."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from sandbox.asgi import App, Receive, Scope, Send


@dataclass(slots=True, frozen=True)
class Conditions:
    """The conditions the platform works under; the defaults are those of a sound one."""

    is_database_reachable: bool = True
    is_cache_reachable: bool = True
    reports_health_truthfully: bool = True
    requires_credentials: bool = True
    hides_internals: bool = True
    sends_security_headers: bool = True
    deploys_all_replicas: bool = True


@dataclass(slots=True, frozen=True)
class Exchange:
    """One request on its way to the platform, as a fault meets it.

    `value` is the fault's own; `random` is seeded anew whenever the faults change.
    """

    app: App
    scope: Scope
    receive: Receive
    send: Send
    value: float
    random: Random
    is_still_set: Callable[[], bool]

    async def proceed(self) -> None:
        """Let the request reach the platform."""
        await self.app(self.scope, self.receive, self.send)
