"""What is answered where nothing is encrypted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.rules import Breach, Looked, Rule, curl_of, told_exchange

if TYPE_CHECKING:
    import httpx

ONLY_PLAIN = Rule(
    id="plain-http-only",
    severity=FindingSeverity.HIGH,
    title="All is sent in the open",
    source="OWASP ASVS 5.0, 12.2.1",
    remedy="Serve it over TLS, and write https into `base_url`",
)
SERVES_CONTENT = Rule(
    id="plain-http-serves-content",
    severity=FindingSeverity.HIGH,
    title="What is served over https is served in the open, too",
    source="OWASP ASVS 5.0, 12.2.1",
    remedy="Have plain http lead to https for the web interface, and refuse it for the API",
)
NOT_REDIRECTED = Rule(
    id="plain-http-not-redirected",
    severity=FindingSeverity.LOW,
    title="Plain http doesn't lead to https",
    source="Mozilla HTTP Observatory: redirection",
    remedy="Answer plain http with 308 and the same address under https, or not at all",
)
STAYS_PLAIN = Rule(
    id="plain-http-redirect-stays-plain",
    severity=FindingSeverity.MEDIUM,
    title="The first hop from plain http isn't https",
    source="Mozilla HTTP Observatory: redirection",
    remedy="Redirect to https at once, at the same host, and from there to wherever",
)
LEAVES_HOST = Rule(
    id="plain-http-redirect-leaves-host",
    severity=FindingSeverity.LOW,
    title="The first hop from plain http leaves the host, so its HSTS is never seen",
    source="Mozilla HTTP Observatory: redirection",
    remedy="Redirect to https at the same host first, and from there to the other one",
)
API_REDIRECTED = Rule(
    id="plain-http-api-redirected",
    severity=FindingSeverity.LOW,
    title="The API silently leads plain http to https",
    source="OWASP ASVS 5.0, 4.1.2",
    remedy="Refuse plain http for the API: a client that sends its token in the open should fail "
    "at once, and not be helped to go on",
)

RULES = (
    ONLY_PLAIN,
    SERVES_CONTENT,
    NOT_REDIRECTED,
    STAYS_PLAIN,
    LEAVES_HOST,
    API_REDIRECTED,
)

_ASKS_TO_SIGN_IN = 401


def look_at_open_address(name: str, address: str) -> Looked:
    """What is wrong with a part of the platform that is reached over plain http.

    Args:
        name: Which part: `api` or `web`.
        address: Its address, which isn't one of this machine's own.
    """
    parts = urlsplit(address)
    if parts.scheme != "http":
        return Looked()
    place = f"{name} {parts.netloc}"
    detail = f"the {name} is at {address}: whoever is on the way reads and changes what is sent"
    return Looked((ONLY_PLAIN.found(detail, [place]),))


def look_at_plain_web(client: httpx.Client) -> Looked:
    """What a web interface answers where nothing is encrypted.

    Args:
        client: Asks there.

    Raises:
        httpx.HTTPError: It gave no whole answer; that it took no connection is fine.
    """
    answer = _ask(client, "/")
    return Looked(tuple(_web_breaches(answer)) if answer is not None else ())


def look_at_plain_api(client: httpx.Client, paths: Iterable[str]) -> Looked:
    """What an API answers where nothing is encrypted.

    Args:
        client: Asks there.
        paths: Some that it answers over https.

    Raises:
        httpx.HTTPError: It gave no whole answer; that it took no connection is fine.
    """
    answers = [answer for path in paths if (answer := _ask(client, path)) is not None]
    served = [one for one in answers if one.is_success or one.status_code == _ASKS_TO_SIGN_IN]
    redirected = [one for one in answers if _leads(one)]
    breaches = [
        *_told_of(SERVES_CONTENT, "api", served, lambda one: f"was answered {one.status_code}"),
        *_told_of(API_REDIRECTED, "api", redirected, _tell_where_to),
    ]
    return Looked(tuple(breaches))


def _web_breaches(answer: httpx.Response) -> Iterator[Breach]:
    if answer.is_success:
        yield from _told_of(SERVES_CONTENT, "web", [answer], lambda _: "was answered with content")
    elif not _leads(answer):
        yield from _told_of(
            NOT_REDIRECTED, "web", [answer], lambda one: f"was answered {one.status_code}"
        )
    else:
        target = urlsplit(_target_of(answer))
        if target.scheme != "https":
            yield from _told_of(STAYS_PLAIN, "web", [answer], _tell_where_to)
        elif target.hostname != answer.request.url.host:
            yield from _told_of(LEAVES_HOST, "web", [answer], _tell_where_to)


def _told_of(
    rule: Rule,
    name: str,
    answers: list[httpx.Response],
    tell: Callable[[httpx.Response], str],
) -> Iterator[Breach]:
    """One breach for all answers that break a rule; the first of them is shown."""
    if answers:
        first = answers[0]
        yield rule.found(
            "; ".join(f"GET {one.request.url} {tell(one)}" for one in answers),
            [f"{name} GET {_plainly(one.request.url.path)} over http" for one in answers],
            exchange=told_exchange(first),
            curl=curl_of(first.request),
        )


def _plainly(path: str) -> str:
    return path or "/"


def _leads(answer: httpx.Response) -> bool:
    return answer.has_redirect_location


def _target_of(answer: httpx.Response) -> str:
    return urljoin(str(answer.request.url), answer.headers["location"])


def _tell_where_to(answer: httpx.Response) -> str:
    return f"was answered {answer.status_code} and leads to {_target_of(answer)}"


def _ask(client: httpx.Client, path: str) -> httpx.Response | None:
    """Ask for a path; None where nothing takes connections there."""
    import httpx  # noqa: PLC0415  # whoever made the client has loaded it

    try:
        return client.get(path)
    except httpx.ConnectError as error:
        if _is_refused(error):
            return None
        raise


def _is_refused(error: httpx.ConnectError) -> bool:
    return "connection refused" in str(error).lower()
