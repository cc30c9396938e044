"""Odd input for an API that really answers, made up by its own description."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import pytest
from jsonschema import Draft202012Validator

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.odd_input import (
    NOT_AS_DESCRIBED,
    SERVER_ERROR,
    OddRequest,
    ask_oddly,
    make_up,
)
from deployment_gate.security.rules import Looked

BOOK = {
    "type": "object",
    "required": ["title"],
    "properties": {"title": {"type": "string", "maxLength": 40}},
}
NUMBER = {"type": "integer", "minimum": 1, "maximum": 9}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "books", "version": "1"},
    "paths": {
        "/books": {
            "get": {
                "parameters": [
                    {"name": "size", "in": "query", "schema": NUMBER},
                    {"name": "X-Language", "in": "header", "schema": {"type": "string"}},
                ],
                "responses": {
                    "200": {"description": "", "content": {"application/json": {"schema": BOOK}}},
                    "422": {"description": ""},
                },
            },
            "post": {
                "requestBody": {"content": {"application/json": {"schema": BOOK}}},
                "responses": {"201": {"description": ""}, "422": {"description": ""}},
            },
        },
        "/books/{id}": {
            "get": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": NUMBER}],
                "responses": {"200": {"description": ""}, "404": {"description": ""}},
                "security": [{"key": []}],
            },
            "delete": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": NUMBER}],
                "responses": {"204": {"description": ""}},
            },
        },
        "/status": {"get": {"responses": {"200": {"description": ""}}}},
    },
    "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
}
READING = ("GET /books", "GET /books/{id}", "GET /status")

Answer = Callable[[str, dict[str, list[str]]], tuple[int, str]]


class Library:
    """The API, well until a test says otherwise: a path and its query -> status and body."""

    def __init__(self) -> None:
        self.answer: Answer = self.well
        self.asked: list[str] = []
        library = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                library.asked.append(self.path)
                parts = urlsplit(self.path)
                status, text = library.answer(
                    unquote(parts.path), parse_qs(parts.query, keep_blank_values=True)
                )
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                """Keep the terminal for the tests."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @staticmethod
    def well(path: str, query: dict[str, list[str]]) -> tuple[int, str]:
        """As it is described."""
        if path.startswith("/books/"):
            return (200 if path[7:].isdigit() else 404), "{}"
        sizes = query.get("size", ["5"])
        is_fit = len(sizes) == 1 and sizes[0] in set("123456789")
        return (200, '{"title": "a"}') if is_fit else (422, "{}")

    def close(self) -> None:
        """End."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def library() -> Iterator[Library]:
    """The API, on a free port of this machine."""
    library = Library()
    yield library
    library.close()


@pytest.fixture
def look(library: Library) -> Iterator[Callable[..., Looked]]:
    """Ask it oddly."""
    client = httpx.Client(trust_env=False)

    def ask(request: OddRequest) -> httpx.Response:
        headers = [
            (name.encode(), text.encode("latin-1")) for name, text in request.headers.items()
        ]
        return client.request(request.method, request.url, headers=headers)

    def look(*, duration_s: float = 60, clock: Callable[[], float] | None = None) -> Looked:
        made = make_up(DOCUMENT, base_url=library.url, wanted=READING, count=20, seed=1)
        more = {"clock": clock} if clock else {}
        return ask_oddly(made, ask, duration_s=duration_s, **more)

    yield look
    client.close()


def made_up(**changes: Any) -> list[OddRequest]:
    """Requests that are made up, of all operations."""
    usual: dict[str, Any] = {
        "base_url": "http://127.0.0.1:9/v1",
        "wanted": READING,
        "count": 20,
        "seed": 1,
    }
    return [one for many in make_up(DOCUMENT, **usual | changes) for one in many]


def test_the_same_seed_makes_the_same_requests_and_another_one_others() -> None:
    first, again, other = ([one.key for one in made_up(seed=seed)] for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_only_wanted_operations_are_asked_each_so_often_at_most_and_never_twice_alike() -> None:
    made = made_up()
    counted = Counter(one.operation for one in made)
    assert set(counted) == set(READING)
    assert max(counted.values()) <= 20
    # It takes no input, and can be asked in one way.
    assert counted["GET /status"] == 1
    assert len({one.key for one in made}) == len(made)
    assert {one.method for one in made} == {"GET"}


def test_some_fit_the_description_and_some_do_not() -> None:
    sizes = {
        size
        for one in made_up()
        if one.operation == "GET /books"
        for size in parse_qs(urlsplit(one.url).query).get("size", [])
    }
    fitting = {size for size in sizes if size in set("123456789")}
    assert fitting
    assert sizes - fitting


def test_they_go_below_the_base_address_without_credentials_of_their_own() -> None:
    for one in made_up():
        assert one.url.startswith("http://127.0.0.1:9/v1/"), one.url
        names = {name.lower() for name in one.headers}
        assert names.isdisjoint({"authorization", "host", "user-agent", "content-length"})
        assert one.body == b""
        one.url.encode("ascii")


def bodies_of(made: list[OddRequest]) -> Iterator[Any]:
    """What bodies hold; None for what is no JSON at all."""
    for one in made:
        try:
            yield json.loads(one.body)
        except ValueError:
            yield None


def test_bodies_are_made_up_for_what_is_made() -> None:
    made = made_up(wanted=("POST /books",), count=10)
    validator = Draft202012Validator(BOOK)
    assert {one.method for one in made} == {"POST"}
    errors = [any(validator.iter_errors(body)) for body in bodies_of(made)]
    assert False in errors
    assert True in errors
    assert "application/json" in {one.headers.get("Content-Type") for one in made}


def test_an_api_that_keeps_to_its_description_has_no_finding(
    library: Library, look: Callable[..., Looked]
) -> None:
    assert look() == Looked()
    assert len(library.asked) == len(made_up())


def test_an_error_of_the_servers_is_one_finding_with_its_smallest_example(
    library: Library, look: Callable[..., Looked]
) -> None:
    def fragile(path: str, query: dict[str, list[str]]) -> tuple[int, str]:
        status, text = library.well(path, query)
        return (
            (500, "{}")
            if status == 422 or (status, path[:7]) == (404, "/books/")
            else (
                status,
                text,
            )
        )

    library.answer = fragile
    (breach,) = look().breaches
    assert breach.rule is SERVER_ERROR
    assert breach.severity is FindingSeverity.MEDIUM
    assert set(breach.places) == {"api GET /books", "api GET /books/{id}"}
    assert "500 Internal Server Error" in breach.detail
    assert breach.exchange.startswith("> GET http://127.0.0.1:")
    assert "< 500" in breach.exchange
    assert breach.curl.startswith("curl --include --request GET")
    failing = [
        path
        for path in library.asked
        if fragile(unquote(urlsplit(path).path), parse_qs(urlsplit(path).query))[0] == 500
    ]
    shown = breach.exchange.split()[2].removeprefix(library.url)
    assert len(shown) <= min(map(len, failing)) + 30


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        ((418, "{}"), "Undocumented status code Received: 418 Documented: 200, 422"),
        ((200, '{"title": 1}'), "Response violates schema"),
        ((200, "no JSON"), "JSON"),
    ],
)
def test_an_answer_that_is_not_described_only_warns(
    library: Library, look: Callable[..., Looked], answer: tuple[int, str], what: str
) -> None:
    def odd(path: str, query: dict[str, list[str]]) -> tuple[int, str]:
        status, text = library.well(path, query)
        return answer if (path, status) == ("/books", 200) else (status, text)

    library.answer = odd
    (breach,) = look().breaches
    assert breach.rule is NOT_AS_DESCRIBED
    assert breach.severity is FindingSeverity.LOW
    assert breach.places == ("api GET /books",)
    assert what in breach.detail


def test_what_is_wrong_once_and_right_when_it_is_asked_again_is_no_finding(
    library: Library, look: Callable[..., Looked]
) -> None:
    seen: Counter[str] = Counter()

    def shaky(path: str, query: dict[str, list[str]]) -> tuple[int, str]:
        key = f"{path}{query}"
        seen[key] += 1
        return (500, "{}") if seen[key] == 1 else library.well(path, query)

    library.answer = shaky
    assert look() == Looked()


@pytest.mark.parametrize(
    ("status", "why"), [(429, "were answered 429"), (503, "the platform is away")]
)
def test_an_answer_that_says_nothing_of_the_input_is_unseen_and_no_finding(
    library: Library, look: Callable[..., Looked], status: int, why: str
) -> None:
    library.answer = lambda *_: (status, "{}")
    looked = look()
    assert looked.breaches == ()
    (told,) = looked.unseen
    assert why in told


def test_an_error_that_says_away_is_one_of_the_servers_where_other_input_is_answered_well(
    library: Library, look: Callable[..., Looked]
) -> None:
    def fragile(path: str, query: dict[str, list[str]]) -> tuple[int, str]:
        status, text = library.well(path, query)
        return (503, "{}") if status == 422 else (status, text)

    library.answer = fragile
    looked = look()
    (breach,) = looked.breaches
    assert breach.rule is SERVER_ERROR
    assert breach.places == ("api GET /books",)
    assert looked.unseen == ()


@pytest.mark.parametrize("status", [400, 414, 431])
def test_a_refusal_that_any_server_gives_needs_no_description(
    library: Library, look: Callable[..., Looked], status: int
) -> None:
    def refusing(path: str, query: dict[str, list[str]]) -> tuple[int, str]:
        known, text = library.well(path, query)
        return (status, "{}") if known == 422 else (known, text)

    library.answer = refusing
    assert look() == Looked()


def test_the_time_bounds_it_and_what_was_not_asked_at_all_is_told(
    library: Library, look: Callable[..., Looked]
) -> None:
    ticks = count()
    looked = look(duration_s=2, clock=lambda: float(next(ticks)))
    assert len(library.asked) == 1
    (told,) = looked.unseen
    assert told.startswith("the time was up before 2 operations were asked, the first of them GET ")


def test_the_operations_take_turns_so_that_each_is_asked_before_the_time_is_up(
    library: Library, look: Callable[..., Looked]
) -> None:
    ticks = count()
    assert look(duration_s=4, clock=lambda: float(next(ticks))) == Looked()
    assert len(library.asked) == 3
