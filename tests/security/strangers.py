"""Small real servers, and the gate's own client that asks them as a stranger."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import count

from deployment_gate.evidence import Observation
from deployment_gate.probes.conduct import Conduct
from deployment_gate.probes.http import http_client
from deployment_gate.security.controls import Base
from tests.probes.target import Answer, Close, Request, Target, http

_NUMBERS = count()
PAGE = (
    "<!doctype html><html><head><title>Shop</title></head><body><main>"
    "<h1>Books, maps and prints</h1><p>Choose what you like, and we send it by the next train."
    "</p><p>All prices hold until the end of the month.</p></main></body></html>"
)


def page(body: str = PAGE, status: int = 200, **headers: str) -> bytes:
    """A page, as a browser is sent it."""
    return http(body, status, content_type="text/html; charset=utf-8", **headers)


def missing(_: Request) -> bytes:
    """What is answered where nothing is."""
    return page("<!doctype html><title>Not found</title><p>Nothing is here.</p>", 404)


def files(content: Mapping[str, bytes], otherwise: Answer = missing) -> Answer:
    """A server that has these files, and answers otherwise to whatever else is asked."""
    return lambda request: content.get(request.path.partition("?")[0]) or otherwise(request)


def single_page(_: Request) -> bytes:
    """A single-page application: its page, whatever is asked for."""
    return page()


def single_page_of_the_path(request: Request) -> bytes:
    """One whose page repeats the path and the time, and bears a nonce that differs each time."""
    number = next(_NUMBERS)
    told = f"<p>{request.path} was asked for as number {number}</p><i>{number:032x}</i></main>"
    return page(PAGE.replace("</main>", told))


def json_error(request: Request) -> bytes:
    """An API that says in a success that there is no such thing."""
    error = {"ok": False, "error": f"there is no {request.path}", "request": id(request)}
    return http(json.dumps(error))


def files_only_without_suffix(request: Request) -> bytes:
    """A server that answers with its page unless a file is asked for, as many proxies do."""
    name = request.path.rpartition("/")[2]
    return missing(request) if re.search(r"\.\w+$", name) else page()


def hangs_up(on: str) -> Callable[[Request], bytes]:
    """A firewall that closes the connection to whoever asks for such a path."""

    def answer(request: Request) -> bytes:
        if on in request.path:
            raise Close(b"")
        return missing(request)

    return answer


CATCH_ALL = [single_page, single_page_of_the_path, json_error, files_only_without_suffix]
"""Servers that answer with a success where nothing is."""


@contextmanager
def asked(
    answer: Answer, *, name: str = "web", seen: list[Observation] | None = None
) -> Iterator[tuple[Base, Target]]:
    """A server, and the base by which the gate asks it."""
    conduct = Conduct(
        observe=(seen if seen is not None else []).append,
        environment="production",
        allows_writing=False,
        check="t::check",
    )
    with closing(Target(answer)) as target:
        client = http_client(conduct, base_url=target.origin, timeout_s=5.0, user_agent="t/1")
        with client:
            yield Base(name, client), target
