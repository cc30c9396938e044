"""The two replicas of the API, which take turns."""

from collections.abc import Callable
from itertools import cycle

from sandbox.api.services import Replica
from sandbox.asgi import App, Headers, Receive, Scope, Send
from sandbox.conditions import Conditions
from sandbox.releases import Release, other_release

FIRST = "api-1"
SECOND = "api-2"


class ReplicaLayer:
    """Gives each request to the next replica; the second may have missed a deployment."""

    def __init__(self, app: App, release: Release, conditions: Callable[[], Conditions]) -> None:
        self._app = app
        self._conditions = conditions
        self._turns = cycle((FIRST, SECOND))
        self._deployed = {name: Replica(name, release) for name in (FIRST, SECOND)}
        self._stale = Replica(SECOND, other_release(release))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        name = next(self._turns)
        is_stale = name == SECOND and not self._conditions().deploys_all_replicas
        scope["replica"] = self._stale if is_stale else self._deployed[name]
        await self._app(scope, receive, send)


def identity(scope: Scope) -> Headers:
    """Return the headers that name the replica and its release."""
    replica: Replica = scope["replica"]
    return [
        (b"x-release", replica.release.version.encode()),
        (b"x-instance", replica.instance.encode()),
    ]
