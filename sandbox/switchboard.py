"""Which faults are set right now, as a server process sees it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from sandbox.asgi import App, Receive, Scope, Send
from sandbox.fault import Fault, FaultSettings, Part
from sandbox.faults import FAULTS
from sandbox.flaws import Flaws
from sandbox.interference import Exchange

SEED = 20


@dataclass(slots=True, frozen=True)
class ActiveFault:
    """A fault that is set, with its value and its own source of chance."""

    fault: Fault
    value: float
    random: Random


def activate(settings: FaultSettings, part: Part) -> Iterator[ActiveFault]:
    """Yield the faults that are set and work in that process, in the order of the registry."""
    for fault in FAULTS:
        if fault.name in settings and part in fault.parts:
            # Repeatable runs are the point here; nothing secret hangs on these numbers.
            yield ActiveFault(fault, settings[fault.name] or 0.0, Random(SEED))  # noqa: S311


class Switchboard:
    """The faults of one process, read anew whenever their file was replaced."""

    def __init__(self, path: Path, part: Part) -> None:
        self._path = path
        self._part = part
        self._seen: tuple[int, int] | None = None
        self._active: tuple[ActiveFault, ...] = ()
        self._flaws: Flaws = frozenset()

    def look(self) -> tuple[ActiveFault, ...]:
        """Return the faults that are set now."""
        stat = self._path.stat()
        seen = (stat.st_mtime_ns, stat.st_ino)
        if seen != self._seen:
            self._active = tuple(activate(json.loads(self._path.read_text()), self._part))
            self._flaws = frozenset(flaw for one in self._active for flaw in one.fault.flaws)
            self._seen = seen
        return self._active

    def flaws(self) -> Flaws:
        """Return what is wrong with the platform now."""
        self.look()
        return self._flaws

    def is_set(self, fault: Fault) -> bool:
        """Say whether that fault is set now."""
        return any(active.fault is fault for active in self.look())


class FaultLayer:
    """Lets the faults that are set stand around each request."""

    def __init__(self, app: App, switchboard: Switchboard) -> None:
        self._app = app
        self._switchboard = switchboard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        app = self._app
        for active in self._switchboard.look():
            if active.fault.around:
                app = partial(self._go_through, active, app)
        await app(scope, receive, send)

    async def _go_through(
        self, active: ActiveFault, app: App, scope: Scope, receive: Receive, send: Send
    ) -> None:
        assert active.fault.around
        is_still_set = partial(self._switchboard.is_set, active.fault)
        await active.fault.around(
            Exchange(app, scope, receive, send, active.value, active.random, is_still_set)
        )
