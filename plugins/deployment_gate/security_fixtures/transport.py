"""The fixtures of checks of TLS and the way to it."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import pytest

from deployment_gate.environment import Environment
from deployment_gate.fixtures import process_key
from deployment_gate.security_fixtures.judging import leave_unobserved

if TYPE_CHECKING:
    import httpx

    from deployment_gate.checks import CheckProcess
    from deployment_gate.probes.budget import Budget
    from deployment_gate.security.handshakes import Dialler, TlsServer
    from deployment_gate.security.protocols import SeenProtocols
    from deployment_gate.security.rules import Looked

_Seen = TypeVar("_Seen")


@pytest.fixture
def tls_server(request: pytest.FixtureRequest, environment: Environment) -> TlsServer:
    """Each server of the environment that is reached by https, in turn."""
    from deployment_gate.security.handshakes import TlsServer  # noqa: PLC0415

    host, port = environment.tls_servers[request.param]
    return TlsServer(name=request.param, host=host, port=port)


@pytest.fixture
def open_address(request: pytest.FixtureRequest) -> str:
    """Each part of the platform that is reached over plain http on another machine, in turn."""
    return str(request.param)


@pytest.fixture
def plain_http(request: pytest.FixtureRequest) -> str:
    """Each part of the platform at whose host plain http may be answered, in turn."""
    return str(request.param)


@pytest.fixture(scope="session")
def tls_trust() -> ssl.SSLContext:
    """Whom this machine trusts, or SSL_CERT_FILE names."""
    from deployment_gate.security.handshakes import trusting_context  # noqa: PLC0415

    return trusting_context()


@pytest.fixture
def dialler(request: pytest.FixtureRequest, environment: Environment) -> Dialler:
    """Connects to servers, as far as checks of security may."""
    from deployment_gate.security.handshakes import Dialler  # noqa: PLC0415

    budget = _budget_of(request.config.stash[process_key])
    return Dialler(budget.spend, environment.request_timeout.total_seconds())


def _budget_of(process: CheckProcess) -> Budget:
    if process.conduct.budget is None:
        pytest.fail(
            "only checks of security may connect past the client. Put the check into "
            "validation/security",
            pytrace=False,
        )
    return process.conduct.budget


@pytest.fixture
def look_at_certificate(
    request: pytest.FixtureRequest, dialler: Dialler, tls_trust: ssl.SSLContext
) -> Callable[[TlsServer], Looked]:
    """Looks at a server's certificate."""
    from deployment_gate.security import certificates  # noqa: PLC0415

    process = request.config.stash[process_key]

    def look(server: TlsServer) -> Looked:
        return process.look_once(
            ("certificate", server),
            lambda: certificates.look_at_certificate(
                server, dialler, trust=tls_trust, at=datetime.now(UTC)
            ),
        )

    return lambda server: _seen(process, lambda: look(server))


@pytest.fixture
def see_protocols(
    request: pytest.FixtureRequest, dialler: Dialler
) -> Callable[[TlsServer], SeenProtocols]:
    """Looks at which versions of TLS and which cipher suites a server takes."""
    from deployment_gate.security import protocols  # noqa: PLC0415

    process = request.config.stash[process_key]

    def look(server: TlsServer) -> SeenProtocols:
        return process.look_once(
            ("protocols", server), lambda: protocols.see_protocols(server, dialler)
        )

    return lambda server: _seen(process, lambda: look(server))


@pytest.fixture
def look_at_protocols(
    see_protocols: Callable[[TlsServer], SeenProtocols], environment: Environment
) -> Callable[[TlsServer], Looked]:
    """Judges those by the environment's profile."""
    from deployment_gate.security import tls  # noqa: PLC0415

    return lambda server: tls.judge_protocols(
        server, see_protocols(server), environment.security.tls
    )


@pytest.fixture
def look_deeper_at_tls(
    request: pytest.FixtureRequest,
    environment: Environment,
    dialler: Dialler,
    look_at_certificate: Callable[[TlsServer], Looked],
    see_protocols: Callable[[TlsServer], SeenProtocols],
) -> Callable[[TlsServer], Looked]:
    """Has sslyze look at a server, for what the other checks could not find."""
    from deployment_gate.security import deep_tls, tls  # noqa: PLC0415

    process = request.config.stash[process_key]
    profile = environment.security.tls

    def look(server: TlsServer) -> Looked:
        protocols = see_protocols(server)
        known = look_at_certificate(server) + tls.judge_protocols(server, protocols, profile)
        return deep_tls.look_deeper(
            server,
            dialler,
            profile,
            told=deep_tls.Told(protocols, frozenset(one.rule for one in known.breaches)),
        )

    return lambda server: _seen(process, lambda: look(server))


@pytest.fixture
def look_at_open_address(environment: Environment) -> Callable[[str], Looked]:
    """Says what is wrong with an address of plain http."""
    from deployment_gate.security import plain_http  # noqa: PLC0415

    return lambda name: plain_http.look_at_open_address(name, environment.open_addresses[name])


@pytest.fixture
def look_at_plain_http(
    environment: Environment, http_client: Callable[[str], httpx.Client]
) -> Callable[[str], Looked]:
    """Looks at what is answered where nothing is encrypted."""
    from deployment_gate.security import plain_http  # noqa: PLC0415

    def look(name: str) -> Looked:
        client = http_client(environment.plain_http[name])
        if name == "web":
            return plain_http.look_at_plain_web(client)
        api = environment.api
        private = api.private_path if api else None
        described = api.openapi.path if api and api.openapi else None
        paths = [*environment.paths_beside_the_api()[:1], private, described]
        asked = dict.fromkeys(path for path in paths if path)
        return plain_http.look_at_plain_api(client, asked or ["/"])

    return look


def _seen(process: CheckProcess, look: Callable[[], _Seen]) -> _Seen:
    """What a look showed; the check ends where it showed nothing."""
    from deployment_gate.security.handshakes import Unanswered  # noqa: PLC0415
    from deployment_gate.security.rules import Unseen  # noqa: PLC0415

    try:
        return look()
    except Unseen as error:
        told, blame = str(error), None
    except Unanswered as error:
        told, blame = str(error), error.blame.error
    if blame is None:
        leave_unobserved(process, told)
    pytest.fail(told, pytrace=False)
