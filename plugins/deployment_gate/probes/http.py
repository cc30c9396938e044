"""The checks' HTTP client: every request is an observation, and reads unless it may write."""

from __future__ import annotations

import ssl
import time
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from deployment_gate.environment import READING
from deployment_gate.errors import GateError
from deployment_gate.evidence import Observation, ObservationKind
from deployment_gate.probes.blame import Blame, blame, no_answer_within, no_connection_within
from deployment_gate.probes.budget import LONGEST_WAIT_S
from deployment_gate.probes.conduct import Conduct
from deployment_gate.probes.exchange import Exchange
from deployment_gate.probes.sampler import ssl_context
from deployment_gate.probes.secrecy import secrets_in_answer

LIFE_SIGN_TIMEOUT_S = 2.0
"""How long a target that left one request unanswered may take to show that it is alive."""


_NOT_TO_BE_ECHOED = frozenset(
    {
        *("authorization", "cookie", "proxy-authorization", "x-api-key"),
        *("content-length", "transfer-encoding"),
    }
)
"""Headers that show who asks, or that a body follows."""

_USUAL_HEADERS = frozenset({"host", "accept", "accept-encoding", "connection", "user-agent"})


class RequestRefused(GateError):  # noqa: N818  # a refusal, as the reports call it
    """A request that was not sent, since the environment or the check gives no leave for it."""


def http_client(
    conduct: Conduct, *, base_url: str, timeout_s: float, user_agent: str
) -> httpx.Client:
    """A client that keeps to `conduct`; redirects are answers, not followed.

    Cookies are not kept: somebody who signed in by one check must be a stranger in the next.
    """
    return httpx.Client(
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        base_url=base_url,
        timeout=timeout_s,
        transport=_ObservedTransport(conduct, timeout_s=timeout_s),
        headers={"User-Agent": user_agent},
    )


class _ObservedTransport(httpx.BaseTransport):
    """Guards and observes each request, redirects and retries included."""

    def __init__(self, conduct: Conduct, *, timeout_s: float) -> None:
        self._conduct = conduct
        self._timeout_s = timeout_s
        self._inner: dict[str, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._refuse_what_has_no_leave(request)
        unobserved_before = self._conduct.unobserved
        response = self._ask(request)
        wait_s = self._wait_of(response, request)
        if wait_s is None:
            return response
        time.sleep(wait_s)
        self._conduct.unobserved = unobserved_before
        return self._ask(request)

    def _wait_of(self, response: httpx.Response, request: httpx.Request) -> float | None:
        """How long to wait until an answer 429 says that one may ask again; None: not at all."""
        if self._conduct.budget is None or request.extensions.get("expects_throttling"):
            return None
        if response.status_code != HTTPStatus.TOO_MANY_REQUESTS or request.method not in READING:
            return None
        # RFC 9110, 10.2.3; a date instead of seconds is for longer than anybody waits here.
        said = response.headers.get("Retry-After", "")
        wait_s = int(said) if said.isascii() and said.isdigit() else LONGEST_WAIT_S + 1
        return wait_s if wait_s <= LONGEST_WAIT_S else None

    def _ask(self, request: httpx.Request) -> httpx.Response:
        if self._conduct.budget:
            self._conduct.budget.spend(request.url.host)
        origin = f"{request.url.scheme}://{request.url.netloc.decode()}"
        self._ask_for_a_life_sign(origin)
        at = datetime.now(UTC)
        started = time.perf_counter()
        response: httpx.Response | None = None
        size: int | None = None
        why = Blame(error="cut off by the check's own time limit")
        try:
            response = self._transport(request).handle_request(request)
            size = len(response.read())
            # httpx tells it once it has closed an answer, which is read to its end already.
            response.elapsed = timedelta(seconds=time.perf_counter() - started)
            why = Blame()
            for secret in secrets_in_answer(response):
                self._conduct.keep_secret(secret)
        except httpx.TimeoutException as error:
            why = self._blame_timeout(error, request)
            self._conduct.doubted.add(origin)
            # From None: what the check's author needs is what happened, not httpx's way there.
            raise type(error)(_told(request, why), request=request) from None
        except httpx.RequestError as error:
            why = blame(error)
            raise type(error)(_told(request, why), request=request) from None
        finally:
            duration_s = round(time.perf_counter() - started, 6)
            self._conduct.exchanges.append(
                Exchange(
                    request=request,
                    response=None if size is None else response,
                    why_not=why.error or why.unobserved,
                    duration_s=duration_s,
                    step=self._conduct.step,
                )
            )
            if (
                response is not None
                and response.status_code == HTTPStatus.TOO_MANY_REQUESTS
                and not request.extensions.get("expects_throttling")
            ):
                self._conduct.unobserved = "answered 429: it limits this runner's rate"
            self._conduct.unobserved = why.unobserved or self._conduct.unobserved
            self._conduct.is_unanswered |= why.error is not None
            self._conduct.observe(
                Observation(
                    at=at,
                    kind=ObservationKind.REQUEST,
                    subject=f"{request.method} {request.url.path}",
                    duration_s=duration_s,
                    status=response.status_code if response is not None else None,
                    error=why.error,
                    unobserved=why.unobserved,
                    facts=_facts(request, response, size) | self._how_it_was_sent(request),
                    check=self._conduct.check,
                )
            )
        return response

    def close(self) -> None:
        for transport in self._inner.values():
            transport.close()

    def _how_it_was_sent(self, request: httpx.Request) -> dict[str, object]:
        """Whether it was a provocation, and whether and as whom it can be sent again."""
        if self._conduct.is_provoking:
            return {"provoked": True}
        if request.method != "GET" or self._conduct.is_writing:
            return {}
        usual = _USUAL_HEADERS | request.extensions.get("identity_headers", frozenset())
        if not usual.issuperset(name.lower() for name in request.headers):
            return {}
        identity = request.extensions.get("identity")
        return {"repeatable": True, **({"identity": identity} if identity else {})}

    def _transport(self, request: httpx.Request) -> httpx.HTTPTransport:
        """One for each scheme: only https is worth loading the trusted issuers for."""
        scheme = request.url.scheme
        if scheme not in self._inner:
            trust = ssl_context() if scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._inner[scheme] = httpx.HTTPTransport(verify=trust)
        return self._inner[scheme]

    def _blame_timeout(self, error: httpx.TimeoutException, request: httpx.Request) -> Blame:
        is_late = isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout)
        limit_s = request.extensions.get("timeout", {}).get("read") or self._timeout_s
        if is_late:
            return no_answer_within(limit_s)
        return no_connection_within(limit_s, url=str(request.url))

    def _refuse_what_has_no_leave(self, request: httpx.Request) -> None:
        if request.method in READING:
            return
        if request.method == "TRACE":
            _refuse_to_be_echoed(request)
            return
        address = _without_query(request.url)
        # As addresses, not as texts: these may be written with a default port, say.
        if any(
            request.method == method and address == _without_query(httpx.URL(signs_in_at))
            for method, signs_in_at in self._conduct.signs_in_at
        ):
            return
        if not self._conduct.allows_writing:
            raise RequestRefused(
                f"{request.method} {address} was not sent: the environment "
                f"{self._conduct.environment!r} gives no leave to write. "
                "If it may be written to, set `allow: {writes: true}` in its file."
            )
        if not self._conduct.is_writing:
            raise RequestRefused(
                f"{request.method} {address} was not sent: the check isn't marked as writing. "
                "Mark it with `@pytest.mark.writes`, and clean up what it makes."
            )

    def _ask_for_a_life_sign(self, origin: str) -> None:
        """A target that hangs costs one time limit, not one for each check."""
        if origin in self._conduct.doubted:
            self._conduct.doubted.discard(origin)
            life_sign = httpx.Request(
                "GET",
                origin,
                extensions={"timeout": httpx.Timeout(LIFE_SIGN_TIMEOUT_S).as_dict()},
            )
            try:
                self._transport(life_sign).handle_request(life_sign).close()
            except httpx.HTTPError:
                self._conduct.silent[origin] = datetime.now(UTC).strftime("%H:%M:%S UTC")
        if origin in self._conduct.silent:
            raise httpx.ReadTimeout(
                f"{origin} was not asked again: it left a request unanswered and gave no sign "
                f"of life within {LIFE_SIGN_TIMEOUT_S:g} s, at {self._conduct.silent[origin]}"
            )


def _refuse_to_be_echoed(request: httpx.Request) -> None:
    """TRACE only reads, but answers with what it was sent (RFC 9110, 9.3.8).

    So it is sent by nobody in particular, whatever the environment allows.

    Raises:
        RequestRefused: It bears what shows who asks, or a body, which it can't have.
    """
    bears = _NOT_TO_BE_ECHOED.intersection(name.lower() for name in request.headers)
    if bears or "identity" in request.extensions:
        raise RequestRefused(
            f"TRACE {_without_query(request.url)} was not sent: its answer would repeat what shows "
            "who asks. Send it by `api`, which is nobody in particular, without a body"
        )


def _without_query(url: httpx.URL) -> httpx.URL:
    return url.copy_with(query=None, fragment=None)


def _told(request: httpx.Request, why: Blame) -> str:
    return f"{request.method} {request.url}: {why.error or why.unobserved}"


def _facts(
    request: httpx.Request, response: httpx.Response | None, size: int | None
) -> dict[str, object]:
    facts: dict[str, object] = {"url": str(request.url)}
    if response is not None:
        facts["content_type"] = response.headers.get("Content-Type", "")
    if size is not None:
        facts["size"] = size
    return facts
