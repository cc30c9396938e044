"""TRACE is refused, and a method counts by the request's line alone."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from deployment_gate.evidence import FindingSeverity
from deployment_gate.probes.http import RequestRefused
from deployment_gate.security.methods import MADE_UP, Ask, look_at_override, look_at_trace
from deployment_gate.security.rules import Looked
from tests.probes.target import Answer, Request, http
from tests.security.strangers import asked, missing, page, single_page


def echo(request: Request) -> bytes:
    """A server that answers TRACE as RFC 9110 says."""
    if request.method != "TRACE":
        return page()
    lines = [f"TRACE {request.path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    return http("\r\n".join(lines), content_type="message/http")


def test_trace_that_is_answered_with_the_request_is_found() -> None:
    with asked(echo, name="api") as (api, _), asked(echo) as (web, _):
        (breach,) = look_at_trace([(api, "/health"), (web, "/")]).breaches

    assert breach.rule.id == "trace-answered"
    assert breach.severity is FindingSeverity.MEDIUM
    assert breach.places == ("api TRACE /health", "web TRACE /")
    assert "curl --include --request TRACE" in breach.curl


@pytest.mark.parametrize(
    "answer", [missing, lambda _: http("{}", 405), lambda _: http("{}", 501), single_page]
)
def test_trace_that_is_refused_or_taken_for_a_get_is_none(answer: Answer) -> None:
    with asked(answer) as (web, _):
        assert look_at_trace([(web, "/")]) == Looked()


@pytest.mark.parametrize(
    "sent",
    [
        {"headers": {"Authorization": "Bearer a-token"}},
        {"headers": {"Cookie": "session=a"}},
        {"headers": {"Proxy-Authorization": "Basic YTpi"}},
        {"headers": {"X-Api-Key": "a-key"}},
        {"content": b"a body"},
        {"extensions": {"identity": "ada"}},
    ],
)
def test_trace_is_never_sent_with_what_shows_who_asks(sent: dict[str, object]) -> None:
    with asked(echo) as (web, target):
        with pytest.raises(RequestRefused, match="its answer would repeat what shows who asks"):
            web.client.request("TRACE", "/", **sent)  # type: ignore[arg-type]
        assert target.requests == []


def obeying(means: Callable[[Request], str | None], *, refusal: int = 405) -> Answer:
    """A server that takes a request for the method that something in it names."""

    def answer(request: Request) -> bytes:
        method = means(request) or request.method
        return page() if method == "GET" else http("{}", refusal)

    return answer


def by_header(name: str) -> Callable[[Request], str | None]:
    return lambda request: request.headers.get(name.lower())


def by_parameter(request: Request) -> str | None:
    return next(iter(parse_qs(urlsplit(request.path).query).get("_method", [])), None)


def look(answer: Answer, *paths: str) -> Looked:
    with asked(answer) as (web, _):

        def ask(url: httpx.URL, headers: dict[str, str]) -> httpx.Response:
            return web.client.get(url, headers=headers)

        asks: list[tuple[str, str, Ask]] = [("web", path, ask) for path in paths or ("/",)]
        return look_at_override(asks)


@pytest.mark.parametrize("refusal", [400, 404, 405, 501])
@pytest.mark.parametrize(
    "name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method="]
)
def test_a_method_that_is_only_named_and_obeyed_is_found(name: str, refusal: int) -> None:
    means = by_parameter if name == "_method=" else by_header(name)

    (breach,) = look(obeying(means, refusal=refusal)).breaches

    assert breach.rule.id == "method-override-obeyed"
    assert breach.severity is FindingSeverity.LOW
    assert breach.places == (f"web GET / ({name})",)
    assert MADE_UP in breach.curl


def test_a_server_that_heeds_nothing_of_it_is_right() -> None:
    assert look(lambda _: page()) == Looked()


@pytest.mark.parametrize(
    "refuses",
    [
        lambda request: any("method" in name for name in request.headers),
        lambda request: "?" in request.path,
    ],
)
def test_a_server_that_refuses_such_headers_or_parameters_as_such_is_right(
    refuses: Callable[[Request], bool],
) -> None:
    assert look(lambda request: http("{}", 400) if refuses(request) else page()) == Looked()


def test_a_server_that_is_unwell_for_a_moment_obeys_nothing() -> None:
    failed: list[Request] = []

    def answer(request: Request) -> bytes:
        if "x-http-method" in request.headers and not failed:
            failed.append(request)
            return http("{}", 500)
        return page()

    assert look(answer) == Looked()
    assert failed


def test_the_first_path_that_is_served_is_looked_at() -> None:
    def answer(request: Request) -> bytes:
        if urlsplit(request.path).path != "/open":
            return http("{}", 401)
        return obeying(by_parameter)(request)

    looked = look(answer, "/private", "/open", "/more")

    assert looked.breaches[0].places == ("web GET /open (_method=)",)
    assert looked.unseen == ()


def test_where_no_path_is_served_nothing_is_known() -> None:
    looked = look(lambda _: http("{}", 401), "/private")

    assert looked.breaches == ()
    (why,) = looked.unseen
    assert why == (
        "no GET of web was answered with a success, so whether another method's name is obeyed "
        "isn't known"
    )
