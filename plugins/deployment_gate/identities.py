"""Who the gate itself is, where it asks again what a check had asked as somebody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from deployment_gate.errors import GateError
from deployment_gate.probes.conduct import Conduct

if TYPE_CHECKING:
    from deployment_gate.api.sessions import Sessions
    from deployment_gate.environment import Environment
    from deployment_gate.evidence import Observation


class Identities:
    """Signs in as the environment's identities, once each and only when one is needed."""

    def __init__(
        self,
        environment: Environment,
        *,
        observe: Callable[[Observation], None],
        keep_secret: Callable[[str], None],
        user_agent: str,
    ) -> None:
        self._environment = environment
        self._conduct = Conduct(
            observe=observe,
            environment=environment.name,
            allows_writing=False,
            signs_in_at=environment.sign_ins(),
            keep_secret=keep_secret,
        )
        self._user_agent = user_agent
        self._sessions: Sessions | None = None

    def headers(self, name: str) -> Mapping[str, str]:
        """What shows with a request that an identity sends it; nothing where it can't sign in."""
        import httpx  # noqa: PLC0415  # only a suspicion needs it in this process

        try:
            return self._signed_in().headers(name)
        except (GateError, httpx.HTTPError):
            return {}

    def _signed_in(self) -> Sessions:
        from deployment_gate.api.sessions import Sessions  # noqa: PLC0415  # loads httpx
        from deployment_gate.probes.http import http_client  # noqa: PLC0415

        environment = self._environment
        if environment.api is None:
            raise GateError(f"{environment.name} has no `api` section")
        if self._sessions is None:
            self._sessions = Sessions(
                environment.api,
                make_client=lambda base_url: http_client(
                    self._conduct,
                    base_url=base_url,
                    timeout_s=environment.request_timeout.total_seconds(),
                    user_agent=self._user_agent,
                ),
                keep_secret=self._keep,
            )
        return self._sessions

    def _keep(self, value: str) -> str:
        self._conduct.keep_secret(value)
        return value
