"""Where a release names itself."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

import pytest

from tests.discovery.conftest import Look, described, page, told
from tests.probes.target import Target

Serve = Callable[..., Target]
WELL = told({"status": "ok"})


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("/version", {"release": "1.5.0", "version": "8"}, ("release", "1.5.0")),
        ("/api/version", {"version": "2026.11-rc1"}, ("version", "2026.11-rc1")),
        ("/actuator/info", {"build": {"version": "3.1"}, "java": {"version": "21"}},
         ("build.version", "3.1")),
        ("/-/versions.json", {"python": {"version": "3.11"}, "datasette": {"version": "0.65"}},
         ("datasette.version", "0.65")),
        ("/health", {"status": "ok", "release": "v7"}, ("release", "v7")),
    ],
)  # fmt: skip
def test_json_that_names_it_is_found(
    path: str, body: object, named: tuple[str, str], serve: Serve, look: Look
) -> None:
    target = serve({"/health": WELL, path: told(body)})

    (found,) = look(target.origin).releases

    assert found.url == f"{target.origin}{path}"
    assert (found.field, found.release) == named


def test_a_header_names_it_where_no_json_does(serve: Serve, look: Look) -> None:
    health = told({"status": "ok"}, x_app_version="9.1", x_aspnet_version="4.0")
    target = serve({"/health": health})

    (found,) = look(target.origin).releases

    assert (found.header, found.release, found.field) == ("X-App-Version", "9.1", None)


@pytest.mark.parametrize(
    "body",
    [
        {"python": {"version": "3.11"}, "sqlite": {"version": "3.4"}},
        {"version": 3},
        {"version": "a sentence about 3 versions"},
        {"version": "unknown"},
        [{"version": "1.0"}],
    ],
)
def test_what_names_something_else_is_none(body: object, serve: Serve, look: Look) -> None:
    target = serve({"/health": WELL, "/version": told(body)})

    assert look(target.origin).releases == ()


def test_the_version_of_a_description_is_not_that_of_what_serves_it(
    serve: Serve, look: Look
) -> None:
    target = serve({"/health": WELL, "/openapi.json": described({})})

    assert look(target.origin).releases == ()


def test_replicas_that_say_who_they_are_are_counted(serve: Serve, look: Look) -> None:
    instances = cycle(["api-1", "api-2"])
    target = serve({
        "/health": WELL,
        "/version": lambda _request: told({"release": "1.5.0"}, x_instance=next(instances)),
    })  # fmt: skip

    (found,) = look(target.origin).releases

    assert (found.instance_header, found.replicas) == ("X-Instance", 2)


def test_a_catch_all_that_names_a_version_is_none(serve: Serve, look: Look) -> None:
    target = serve({"/health": WELL}, otherwise=told({"version": "1.0", "hello": "world"}))

    assert look(target.origin).releases == ()


def test_a_page_is_none(serve: Serve, look: Look, no_browser: None) -> None:
    del no_browser
    target = serve({"/health": WELL, "/version": page('{"version": "1.0"}')})

    assert look(target.origin).releases == ()
