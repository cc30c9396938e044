"""What pages and their scripts give away, without telling it further."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

import pytest

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.rules import Looked, Unseen
from deployment_gate.security.scripts import (
    MOST_SCRIPTS,
    look_at_source_maps,
    look_for_secrets,
    read_sources,
    stable,
)
from tests.probes.target import http
from tests.security.strangers import asked, files, page, single_page

KEY = "AK" + "IA" + "QWERTYUIOP234567"
MAP = json.dumps({"version": 3, "sources": ["../src/a.ts"], "mappings": "AAAA"})
START = page('<!doctype html><html><script src="/app.js"></script>')


def script(text: str, **headers: str) -> bytes:
    return http(text, content_type="text/javascript", **headers)


def looked_at(served: Mapping[str, bytes], *pages: str) -> tuple[Looked, Looked, list[str]]:
    """What of source maps and of secrets is seen, and which secrets are kept out of reports."""
    kept: list[str] = []
    with asked(files({"/": START, **served})) as (web, _):
        sources = read_sources(web, pages or ["/"])
        return look_at_source_maps(sources), look_for_secrets(sources, kept.append), kept


@pytest.mark.parametrize(
    "served",
    [
        {"/app.js": script("x()\n//# sourceMappingURL=app.js.map"), "/app.js.map": http(MAP)},
        {"/app.js": script("x()\n//@ sourceMappingURL=/app.js.map\n"), "/app.js.map": http(MAP)},
        {"/app.js": script("x()", SourceMap="app.js.map"), "/app.js.map": http(MAP)},
        {"/app.js": script("x()", X_SourceMap="/app.js.map"), "/app.js.map": http(MAP)},
        {
            "/app.js": script("x()\n//# sourceMappingURL=app.js.map"),
            "/app.js.map": http(f")]}}'\n{MAP}"),
        },
    ],
)
def test_a_source_map_that_is_named_and_there_is_found(served: Mapping[str, bytes]) -> None:
    maps, _, _ = looked_at(served)

    (breach,) = maps.breaches
    assert breach.rule.id == "source-map-open"
    assert breach.severity is FindingSeverity.LOW
    assert breach.places == ("web GET /app.js.map",)


def test_a_source_map_inside_its_script_is_found() -> None:
    inside = base64.b64encode(MAP.encode()).decode()
    named = f"x()\n//# sourceMappingURL=data:application/json;charset=utf-8;base64,{inside}"

    maps, _, _ = looked_at({"/app.js": script(named)})

    assert maps.breaches[0].places == ("web GET /app.js",)


@pytest.mark.parametrize(
    "served",
    [
        {"/app.js": script("x()\n//# sourceMappingURL=app.js.map")},
        {
            "/app.js": script("x()\n//# sourceMappingURL=app.js.map"),
            "/app.js.map": http('{"error": "none"}'),
        },
        {"/app.js": script("x()\n//# sourceMappingURL=https://maps.example/app.js.map")},
        {"/app.js": script("x()\n//# sourceMappingURL=data:application/json;base64,!!!")},
        {"/app.js": script("x()\n//# sourceMappingURL=http://[odd/app.js.map")},
        {"/app.js": script("x('//# sourceMappingURL=' + name)"), "/app.js.map": http(MAP)},
        {"/app.js": script("x()"), "/app.js.map": http(MAP)},
    ],
)
def test_a_source_map_that_is_not_there_or_elsewhere_is_none(served: Mapping[str, bytes]) -> None:
    maps, _, _ = looked_at(served)

    assert maps == Looked()


def test_a_page_in_place_of_the_map_is_none() -> None:
    served = {"/": START, "/app.js": script("x()\n//# sourceMappingURL=app.js.map")}
    with asked(files(served, otherwise=single_page)) as (web, _):
        assert look_at_source_maps(read_sources(web, ["/"])) == Looked()


@pytest.mark.parametrize(
    ("served", "place"),
    [
        ({"/": page(f"<!doctype html><script>const k = '{KEY}'</script>")}, "/"),
        ({"/": page(f"<!doctype html><!-- {KEY} -->")}, "/"),
        ({"/app.js": script(f"k = '{KEY}'")}, "/app.js"),
        (
            {
                "/app.js": script('import { a } from "./lib/b.js";'),
                "/lib/b.js": script(f"export const a = '{KEY}'"),
            },
            "/lib/b.js",
        ),
        (
            {"/app.js": script('import("/lazy.js")'), "/lazy.js": script(f"k = '{KEY}'")},
            "/lazy.js",
        ),
        (
            {"/app.js": script('fetch("/config.json")'), "/config.json": http(f'["{KEY}"]')},
            "/config.json",
        ),
        (
            {
                "/": page('<!doctype html><link rel=modulepreload href="m.js">'),
                "/m.js": script(f"k = '{KEY}'"),
            },
            "/m.js",
        ),
    ],
)
def test_a_secret_is_found_in_whatever_a_page_loads(
    served: Mapping[str, bytes], place: str
) -> None:
    _, secrets, kept = looked_at(served)

    (breach,) = secrets.breaches
    assert breach.rule.id == "secret-in-page"
    assert breach.severity is FindingSeverity.CRITICAL
    assert breach.places == (f"web GET {place}",)
    assert breach.detail == f"an AWS access key id (AKIA...) in web GET {place}"
    assert KEY not in breach.exchange + breach.curl
    assert kept == [KEY]


def test_a_key_that_pages_bear_on_purpose_only_warns() -> None:
    key = "AI" + "za" + "Sy" + "a1" * 16 + "z"

    _, secrets, _ = looked_at({"/app.js": script(f"k = '{key}'")})

    (breach,) = secrets.breaches
    assert (breach.rule.id, breach.severity) == ("shared-key-in-page", FindingSeverity.LOW)


def test_scripts_of_others_are_not_asked_for() -> None:
    with asked(files({"/other.js": script("x()")})) as (other, theirs):
        start = page(f'<script src="{other.client.base_url}other.js"></script>')
        with asked(files({"/": start})) as (web, _):
            sources = read_sources(web, ["/"])
        assert theirs.requests == []

    assert sources.scripts == ()


def test_a_script_that_is_answered_as_any_path_is_shows_nothing() -> None:
    with asked(files({"/": START}, otherwise=single_page)) as (web, _):
        assert read_sources(web, ["/"]).scripts == ()


def test_pages_that_ask_who_one_is_are_passed_over() -> None:
    served = {"/": http("", 302, location="/login"), "/login": page()}
    with asked(files(served)) as (web, _):
        sources = read_sources(web, ["/", "/login"])

    assert [one.path for one in sources.pages] == ["/login"]


def test_where_no_page_is_shown_to_a_stranger_nothing_is_seen() -> None:
    with (
        asked(files({"/": http("", 401)})) as (web, _),
        pytest.raises(Unseen, match=r"Name one under `web\.pages`"),
    ):
        read_sources(web, ["/"])


def test_scripts_without_end_are_read_up_to_a_number() -> None:
    served = {"/": START} | {
        f"/{name}.js": script(f'import "/{number + 1}.js"')
        for number, name in enumerate(["app", *range(1, 80)])
    }
    with asked(files(served)) as (web, target):
        sources = read_sources(web, ["/"])

    assert len(sources.scripts) == MOST_SCRIPTS
    assert len(target.requests) <= MOST_SCRIPTS + 2


def test_scripts_that_load_one_another_are_read_once() -> None:
    served = {
        "/app.js": script('import "/b.js"'),
        "/b.js": script('import "/app.js"'),
        "/": START,
    }
    with asked(files(served)) as (web, target):
        read_sources(web, ["/"])

    asked_for = [one.path for one in target.requests if len(one.path) < len("/random.js")]
    assert asked_for == ["/", "/app.js", "/b.js"]


def test_a_script_that_is_missing_is_asked_for_once() -> None:
    start = page('<script src="/gone.js"></script><script src="/gone.js"></script>')
    with asked(files({"/": start, "/more": start})) as (web, target):
        assert read_sources(web, ["/", "/more"]).scripts == ()

    assert [one.path for one in target.requests].count("/gone.js") == 1


def test_the_folders_of_scripts_are_known() -> None:
    served = {
        "/": page('<script src="/static/a.js"></script><script src="/b.js"></script>'),
        "/static/a.js": script("1"),
        "/b.js": script("1"),
    }
    with asked(files(served)) as (web, _):
        assert read_sources(web, ["/"]).folders == ("/", "/static/")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/app.js", "/app.js"),
        ("/assets/index-4f2a9c1b.js", "/assets/index-HASH.js"),
        ("/assets/index-B4kx9_Qz.js.map", "/assets/index-HASH.js.map"),
        ("/main.8d3f0a1b2c3d.chunk.js", "/main.HASH.chunk.js"),
        ("/static/shortcuts.js", "/static/shortcuts.js"),
        ("/runtime-main.js", "/runtime-main.js"),
        ("/0a1b2c3d4e5f.js", "/HASH.js"),
    ],
)
def test_a_place_is_the_same_in_the_next_release(path: str, told: str) -> None:
    assert stable(path) == told
