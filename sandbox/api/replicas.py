"""The two replicas of the API, which take turns."""

from collections.abc import Callable
from itertools import cycle

from sandbox.api.services import Replica
from sandbox.asgi import App, Headers, Receive, Scope, Send
from sandbox.flaws import Flaw, Flaws
from sandbox.releases import Release, other_release

FIRST = "api-1"
SECOND = "api-2"


class ReplicaLayer:
    """Gives each request to the next replica; the second may have missed a deployment."""

    def __init__(self, app: App, release: Release, flaws: Callable[[], Flaws]) -> None:
        self._app = app
        self._flaws = flaws
        self._turns = cycle((FIRST, SECOND))
        self._deployed = release
        self._stale = other_release(release)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        instance, flaws = next(self._turns), self._flaws()
        is_stale = instance == SECOND and Flaw.STALE_RELEASE in flaws
        scope["replica"] = Replica(
            instance=instance,
            release=self._stale if is_stale else self._deployed,
            environment="staging" if Flaw.WRONG_ENVIRONMENT in flaws else "sandbox",
        )
        await self._app(scope, receive, send)


def identity(scope: Scope) -> Headers:
    """Return the headers that name the replica and its release."""
    replica: Replica = scope["replica"]
    return [
        (b"x-release", replica.release.version.encode()),
        (b"x-instance", replica.instance.encode()),
    ]
