"""What lies in the open is found by its content, and what only looks like it isn't."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import threading
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.controls import Base
from deployment_gate.security.exposed_paths import TOPICS, descriptions, listings
from deployment_gate.security.exposure import look_at_unknown_paths, look_for
from deployment_gate.security.rules import Looked
from tests.probes.target import Answer, Request, http
from tests.security.strangers import (
    CATCH_ALL,
    asked,
    files,
    hangs_up,
    missing,
    page,
    single_page,
    single_page_of_the_path,
)

EVERYTHING = [exposure for exposures in TOPICS.values() for exposure in exposures]


def nothing_is_public(_: str) -> bool:
    return False


def look(
    answer: Answer,
    *,
    topic: str = "",
    is_public: Callable[[str], bool] = nothing_is_public,
) -> Looked:
    """What of a topic, or of all there are, lies in the open on a server."""
    exposures = TOPICS[topic] if topic else [*EVERYTHING, listings(["/js/"])]
    with asked(answer) as (base, _):
        return look_for(exposures, [base], is_public=is_public)


def found(looked: Looked) -> dict[str, tuple[str, ...]]:
    """The places by rule."""
    return {one.rule.id: one.places for one in looked.breaches}


def text(content: str) -> bytes:
    return http(content, content_type="text/plain")


OPEN = [
    ("/.git/config", text("[core]\n\tbare = false\n"), "repository-exposed"),
    ("/.git/HEAD", text("ref: refs/heads/main\n"), "repository-exposed"),
    ("/.git/HEAD", text("0123456789abcdef0123456789abcdef01234567\n"), "repository-exposed"),
    ("/.hg/requires", text("dotencode\nfncache\nrevlogv1\n"), "repository-exposed"),
    ("/.env", text("# ours\nAPP_KEY=base64:abc\n\nDB_HOST=db\n"), "environment-file-exposed"),
    ("/.env.local", text("export TOKEN='a b'\n"), "environment-file-exposed"),
    ("/.npmrc", text("//registry.example/:_authToken=abc\n"), "secret-file-exposed"),
    ("/.aws/credentials", text("[default]\naws_access_key_id = A\n"), "secret-file-exposed"),
    ("/.htpasswd", text("ada:$apr1$abc$def\n"), "secret-file-exposed"),
    ("/.docker/config.json", http('{"auths": {}}'), "secret-file-exposed"),
    ("/wp-config.php~", text("define('DB_PASSWORD', 'x');"), "secret-file-exposed"),
    ("/docker-compose.yml", text("services:\n  db:\n    image: db\n"), "configuration-exposed"),
    ("/appsettings.json", http('{"ConnectionStrings": {}}'), "configuration-exposed"),
    ("/backup.sql", text("-- MySQL dump 10.13\n"), "backup-exposed"),
    ("/backup.tar.gz", http(b"\x1f\x8b\x08\x00rest"), "backup-exposed"),
    ("/index.php.bak", text("<?php echo 1;"), "backup-exposed"),
    ("/actuator", http('{"_links": {"self": {}, "heapdump": {}}}'), "debugging-open"),
    (
        "/actuator/env",
        http('{"activeProfiles": [], "propertySources": []}'),
        "debugging-open",
    ),
    (
        "/server-status",
        page("<html><title>Apache Status</title><h1>Apache Server Status for x</h1>"),
        "debugging-open",
    ),
    ("/phpinfo.php", page("<html><title>PHP 8.3.1 - phpinfo()</title>"), "debugging-open"),
    (
        "/debug/pprof/",
        page("<html><body>Types of profiles available:</body></html>"),
        "debugging-open",
    ),
    ("/debug/vars", http('{"cmdline": ["app"], "memstats": {}}'), "debugging-open"),
    ("/console", page("<h1>Interactive Console</h1>"), "debugging-open"),
    ("/_ignition/health-check", http('{"can_execute_commands": true}'), "debugging-open"),
    ("/trace.axd", page("<h1>Application Trace</h1>"), "debugging-open"),
    ("/metrics", text("# HELP up Whether it is.\n# TYPE up gauge\nup 1\n"), "metrics-open"),
    ("/actuator/metrics", http('{"names": ["jvm"]}'), "metrics-open"),
    ("/openapi.json", http('{"openapi": "3.1.0", "paths": {}}'), "api-description-open"),
    ("/swagger.json", http('{"swagger": "2.0", "paths": {}}'), "api-description-open"),
    ("/openapi.yaml", text("openapi: 3.0.3\ninfo: {}\n"), "api-description-open"),
    ("/docs", page("<html><title>API - Swagger UI</title></html>"), "api-description-open"),
    ("/redoc", page("<html><body><redoc spec-url='/x'></redoc>"), "api-description-open"),
    ("/graphiql", page("<html><title>GraphiQL</title></html>"), "api-description-open"),
    ("/.DS_Store", http(b"\x00\x00\x00\x01Bud1rest"), "project-file-exposed"),
    ("/package.json", http('{"name": "a", "dependencies": {}}'), "project-file-exposed"),
    ("/Dockerfile", text("FROM python:3.14\n"), "project-file-exposed"),
    ("/", page("<html><title>Index of /</title><h1>Index of /</h1>"), "directory-listed"),
    (
        "/js/",
        page('<html><body><A HREF="/">[To Parent Directory]</A></body></html>'),
        "directory-listed",
    ),
]


@pytest.mark.parametrize(("path", "content", "rule"), OPEN, ids=[one[0] for one in OPEN])
def test_what_lies_in_the_open_is_found_and_nothing_else(
    path: str, content: bytes, rule: str
) -> None:
    looked = look(files({path: content}))

    assert found(looked) == {rule: (f"web GET {path}",)}
    assert looked.unseen == ()


@pytest.mark.parametrize(("path", "content", "rule"), OPEN, ids=[one[0] for one in OPEN])
def test_it_is_found_where_any_other_path_is_answered_with_a_page(
    path: str, content: bytes, rule: str
) -> None:
    exposures = [one for one in [*EVERYTHING, listings(["/js/"])] if one.rule.id == rule]
    with asked(files({path: content}, otherwise=single_page_of_the_path)) as (base, _):
        looked = look_for(exposures, [base], is_public=nothing_is_public)

    assert found(looked) == {rule: (f"web GET {path}",)}


@pytest.mark.parametrize("answer", CATCH_ALL)
def test_a_server_that_answers_everything_with_a_success_exposes_nothing(answer: Answer) -> None:
    assert look(answer) == Looked()


@pytest.mark.parametrize(
    "everything",
    [
        text("[core]\n"),
        text("APP_KEY=x\n"),
        page("<html><title>Index of /</title><h1>Index of /</h1>"),
        page("<html><title>Shop - Swagger UI</title></html>"),
        http('{"openapi": "3.1.0", "paths": {}, "names": [], "auths": {}}'),
        text("# HELP up Whether it is.\n"),
    ],
)
def test_what_any_path_is_answered_with_is_no_sign_even_where_it_looks_like_one(
    everything: bytes,
) -> None:
    assert look(lambda _: everything) == Looked()


@pytest.mark.parametrize("status", [301, 401, 403, 404, 500])
def test_the_right_content_without_a_success_is_no_sign(status: int) -> None:
    refused = http("[core]\n", status, location="/elsewhere")

    assert look(files({"/.git/config": refused})) == Looked()


HARMLESS = {
    "/.git/config": page("<html>[core]</html>"),
    "/.git/HEAD": text("header"),
    "/.env": http('{"APP_KEY": "x"}'),
    "/.env.local": page("<!doctype html>\n<p>A_B=c"),
    "/.npmrc": text("fund=false\nregistry=https://registry.example\n"),
    "/actuator": http('{"_links": {"self": {}, "health": {}, "info": {}}}'),
    "/metrics": page("<html><h1>Our metrics</h1></html>"),
    "/docs": page("<html><h1>How to use the shop</h1></html>"),
    "/debug": page("<html><h1>How we debug</h1></html>"),
    "/console": page("<html><h1>Game consoles</h1></html>"),
    "/env": http('{"environment": "production"}'),
    "/package.json": http('{"weight_kg": 3}'),
    "/backup.zip": page("<html>no</html>"),
    "/api-docs": http('{"paths": {}}'),
    "/graphql": http('{"errors": [{"message": "Must provide query string."}]}', 400),
    "/": page("<html><title>Index of prices</title></html>"),
    "/server.key": text("-----BEGIN PUBLIC KEY-----\nabc\n"),
    "/index.php.bak": page("<html></html>"),
}


def test_what_is_only_named_alike_is_no_finding() -> None:
    assert look(files(HARMLESS)) == Looked()


def test_private_keys_are_found_without_being_shown(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(file)],
        check=True,
        capture_output=True,
    )
    looked = look(files({"/server.key": text(file.read_text())}), topic="secrets")

    (breach,) = looked.breaches
    assert breach.severity is FindingSeverity.CRITICAL
    assert breach.places == ("web GET /server.key",)
    assert file.read_text().splitlines()[1] not in breach.exchange + breach.detail
    assert breach.curl.endswith("/server.key")


def test_what_begins_a_real_database_or_archive_is_known(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "db") as database:
        database.execute("CREATE TABLE account (id)")
    with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
        archive.writestr("a", "b")
    content = {"/db.sqlite3": tmp_path / "db", "/backup.zip": tmp_path / "zip"}
    served = {path: http(file.read_bytes()) for path, file in content.items()}

    assert found(look(files(served), topic="backups")) == {
        "backup-exposed": ("web GET /backup.zip", "web GET /db.sqlite3")
    }


def test_a_rule_is_broken_once_however_many_places_there_are() -> None:
    served = {path: content for path, content, _ in OPEN if path.startswith("/.git/")}
    with asked(files(served), name="api") as (api, _), asked(files(served)) as (web, _):
        looked = look_for(TOPICS["repository"], [api, web], is_public=nothing_is_public)

    (breach,) = looked.breaches
    assert breach.places == (
        "api GET /.git/config",
        "api GET /.git/HEAD",
        "web GET /.git/config",
        "web GET /.git/HEAD",
    )


@pytest.mark.parametrize(
    ("path", "topic"), [("/metrics", "metrics"), ("/openapi.json", "description")]
)
def test_what_the_environment_calls_public_is_not_even_asked_for(path: str, topic: str) -> None:
    served = {one: content for one, content, _ in OPEN}
    with asked(files(served)) as (base, target):
        look_for(TOPICS[topic], [base], is_public=path.__eq__)

    assert path not in [one.path for one in target.requests]


def test_a_description_is_looked_for_where_the_environment_says_that_it_is() -> None:
    served = files({"/spec": http('{"openapi": "3.1.0", "paths": {}}')})

    with asked(served) as (base, _):
        looked = look_for([descriptions("/spec")], [base], is_public=nothing_is_public)

    assert found(looked) == {"api-description-open": ("web GET /spec",)}
    assert descriptions("/openapi.json") == descriptions(None)


def test_a_repository_is_never_public() -> None:
    served = {path: content for path, content, _ in OPEN}

    looked = look(files(served), topic="repository", is_public=lambda _: True)

    assert "repository-exposed" in found(looked)


def test_a_redirect_to_what_lies_below_is_followed_and_no_other() -> None:
    docs = page("<html><title>Swagger UI</title></html>")
    below = {"/docs": http("", 307, location="/docs/"), "/docs/": docs}
    elsewhere = {"/docs": http("", 307, location="/manual/"), "/manual/": docs}
    odd = {"/docs": http("", 307, location="http://[odd/docs/")}

    assert found(look(files(below), topic="description")) == {
        "api-description-open": ("web GET /docs",)
    }
    assert look(files(elsewhere), topic="description") == Looked()
    assert look(files(odd), topic="description") == Looked()


def test_a_firewall_that_hangs_up_on_such_requests_exposes_nothing() -> None:
    assert look(hangs_up("/.git/"), topic="repository") == Looked()


def test_a_limit_on_requests_leaves_unseen_what_it_was_met_at() -> None:
    looked = look(lambda _: http(status=429), topic="repository")

    assert looked.breaches == ()
    assert "were answered 429" in looked.unseen[0]


def test_no_more_is_asked_than_the_list_has_where_nothing_is_there() -> None:
    with asked(missing) as (base, target):
        look_for(EVERYTHING, [base], is_public=nothing_is_public)

    assert len(target.requests) == sum(len(one.probes) for one in EVERYTHING) < 80
    assert {one.method for one in target.requests} == {"GET", "HEAD"}
    # To ask a Spring application for it, even by HEAD, has it dump its heap.
    assert not [one for one in target.requests if "heapdump" in one.path]


def test_a_server_of_files_lists_its_folders(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "app.js").write_text("1")
    handler = partial(_Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}") as client:
                looked = look_for(
                    [listings([])], [Base("web", client)], is_public=nothing_is_public
                )
        finally:
            server.shutdown()
            thread.join()

    assert found(looked) == {"directory-listed": ("web GET /", "web GET /static/")}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Keep the terminal for the tests."""


@pytest.mark.parametrize("answer", CATCH_ALL)
def test_a_path_that_cannot_exist_and_is_answered_is_one_low_finding(answer: Answer) -> None:
    with asked(answer, name="api") as (api, _), asked(answer) as (web, _):
        looked = look_at_unknown_paths([api, web])

    (breach,) = looked.breaches
    assert breach.rule.id == "unknown-path-answered-200"
    assert breach.severity is FindingSeverity.LOW
    assert breach.places == ("api GET /RANDOM", "web GET /RANDOM")


@pytest.mark.parametrize("status", [301, 401, 403, 404, 410])
def test_a_path_that_cannot_exist_may_be_refused_in_many_ways(status: int) -> None:
    def answer(_: Request) -> bytes:
        return http("{}", status, location="/login")

    with asked(answer) as (web, _):
        assert look_at_unknown_paths([web]) == Looked()


def test_each_path_stands_once_in_the_list() -> None:
    paths = [probe.path for one in EVERYTHING for probe in one.probes]

    assert sorted(paths) == sorted(set(paths))


def test_a_breach_is_told_with_what_was_seen() -> None:
    config: Mapping[str, bytes] = {"/.git/config": text("[core]\n\tbare = false\n")}
    (breach,) = look(files(config, otherwise=single_page), topic="repository").breaches

    assert breach.detail == (
        "web GET /.git/config was answered 200 with 21 bytes of text/plain that are what the path "
        "promises"
    )
    assert "bare" not in json.dumps([breach.detail, breach.exchange, breach.curl])
