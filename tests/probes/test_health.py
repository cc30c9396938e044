"""What a health answer says of itself and of what it depends on, in the formats in use."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.environment import HealthEndpoint
from deployment_gate.evidence import ObservationKind
from deployment_gate.probes.health import (
    health_facts,
    health_probe,
    looks_cached,
    past_the_cache,
)
from deployment_gate.probes.sampler import BODY_LIMIT, Answer, Sampler

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def facts(body: object, **headers: str) -> dict[str, Any]:
    """The facts in an answer with this body, which is JSON unless it is bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    shown = {"Content-Type": "application/json"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return health_facts(Answer(200, shown, content, is_truncated=False))


@pytest.mark.parametrize(
    ("body", "states"),
    [
        ({"status": "UP"}, {"": "up"}),
        (
            # Spring Boot Actuator
            {
                "status": "DOWN",
                "components": {
                    "db": {"status": "DOWN", "details": {"error": "timeout"}},
                    "diskSpace": {"status": "UP", "details": {"free": 1}},
                    "redis": {"status": "UP", "components": {"a": {"status": "OUT_OF_SERVICE"}}},
                },
            },
            {
                "": "down",
                "components.db": "down",
                "components.diskSpace": "up",
                "components.redis": "up",
                "components.redis.components.a": "out_of_service",
            },
        ),
        (
            # draft-inadarei-api-health-check
            {
                "status": "pass",
                "version": "1",
                "checks": {
                    "db:connections": [{"status": "fail", "observedValue": 75, "time": "x"}],
                    "cpu": [{"status": "pass"}, {"status": "warn"}],
                },
            },
            {
                "": "pass",
                "checks.db:connections": "fail",
                "checks.cpu[0]": "pass",
                "checks.cpu[1]": "warn",
            },
        ),
        (
            # ASP.NET, with the usual UI response writer
            {
                "status": "Healthy",
                "totalDuration": "00:00:00.0134026",
                "entries": {"sql": {"status": "Unhealthy", "data": {}, "tags": ["db"]}},
            },
            {"": "healthy", "entries.sql": "unhealthy"},
        ),
        (
            # Terminus of NestJS
            {
                "status": "error",
                "info": {"cache": {"status": "up"}},
                "error": {"database": {"status": "down", "message": "refused"}},
                "details": {"database": {"status": "down"}},
            },
            {
                "": "error",
                "info.cache": "up",
                "error.database": "down",
                "details.database": "down",
            },
        ),
        (
            {"status": "ok", "components": {"database": "ok", "cache": "Unhealthy"}},
            {"": "ok", "components.database": "ok", "components.cache": "unhealthy"},
        ),
        (
            {"ok": True, "services": {"database": False, "cache": True}},
            {"": "true", "services.database": "false", "services.cache": "true"},
        ),
        ({"healthy": False}, {"": "false"}),
        ({"state": "running"}, {"": "running"}),
        ([{"name": "a", "status": "up"}, {"status": "down"}], {"[0]": "up", "[1]": "down"}),
    ],
)
def test_states_are_read_from_the_formats_in_use(body: object, states: dict[str, str]) -> None:
    assert facts(body)["states"] == states


@pytest.mark.parametrize(
    "body", [{}, [], {"status": 200}, {"version": "1.5.0"}, {"a": {"b": "ok"}}]
)
def test_a_body_without_a_state_has_none(body: object) -> None:
    assert "states" not in facts(body)


def test_a_body_of_many_components_is_read_up_to_a_limit() -> None:
    body = {"components": {f"c{number}": {"status": "up"} for number in range(1000)}}
    assert len(facts(body)["states"]) == 100


def test_a_body_that_never_ends_its_nesting_is_read_up_to_a_depth() -> None:
    body: dict[str, Any] = {"status": "up"}
    for _ in range(50):
        body = {"status": "up", "components": body}
    assert 1 < len(facts(body)["states"]) < 10


def test_states_that_contradict_each_other_are_all_read() -> None:
    body = {"status": "ok", "healthy": False, "database": {"connected": False}}
    assert facts(body)["states"] == {"": "ok", "healthy": "false", "database.connected": "false"}


def test_what_stands_beside_the_state_is_read_as_it_is() -> None:
    assert facts({"status": "ok", "database": "DOWN"})["plain"] == {"database": "down"}


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b'"DOWN"', "application/json", {"content_type": "application/json", "word": "down"}),
        (
            b'{"n": ' + b"1" * 5000 + b"}",
            "application/json",
            {"content_type": "application/json", "unread": True},
        ),
        (b"Unhealthy\n", "text/plain", {"content_type": "text/plain", "word": "unhealthy"}),
        (b"x" * 33, "text/plain", {"content_type": "text/plain"}),
        (b"", "", {"content_type": ""}),
        (b"<html>", "text/plain", {"content_type": "text/plain", "page": True}),
        (
            b"\n <!DOCTYPE HTML><html>",
            "application/json",
            {"content_type": "application/json", "page": True, "not_json": True},
        ),
        (b"x", "Text/HTML; charset=utf-8", {"content_type": "text/html", "page": True}),
        (b"{", "application/json", {"content_type": "application/json", "not_json": True}),
        (b"", "application/json", {"content_type": "application/json", "not_json": True}),
        (
            b'{"status": "pass"}',
            "application/health+json; charset=utf-8",
            {"content_type": "application/health+json", "states": {"": "pass"}},
        ),
        (
            b'{"status": "ok"}',
            "text/plain",
            {"content_type": "text/plain", "states": {"": "ok"}},
        ),
        (
            b'\xef\xbb\xbf{"status": "ok"}',
            "application/json",
            {"content_type": "application/json", "states": {"": "ok"}},
        ),
    ],
)
def test_what_came_back_is_told_apart(
    body: bytes, content_type: str, expected: dict[str, Any]
) -> None:
    assert facts(body, Content_Type=content_type) == expected


def test_a_body_that_was_cut_off_is_unread_rather_than_broken() -> None:
    answer = Answer(200, {"Content-Type": "application/json"}, b'{"a": "', is_truncated=True)
    assert health_facts(answer) == {"content_type": "application/json", "unread": True}


@given(st.binary(max_size=60), st.sampled_from(["application/json", "text/html", "", "x/y;z"]))
def test_no_body_makes_the_reader_fail(body: bytes, content_type: str) -> None:
    assert isinstance(facts(body, Content_Type=content_type), dict)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["status", "checks", "time", "now", "db"]), inner)
        ),
        max_leaves=10,
    )
)
def test_no_json_makes_the_reader_fail(body: object) -> None:
    found = facts(body)
    json.dumps(found)
    looks_cached(found, now=NOW)


@pytest.mark.parametrize(
    ("headers", "cached"),
    [
        ({"Age": "3"}, "Age: 3"),
        ({"X_Cache": "HIT from edge"}, "X-Cache: HIT from edge"),
        ({"X_Cache": "Hit from cloudfront"}, "X-Cache: Hit from cloudfront"),
        ({"CF_Cache_Status": "HIT"}, "CF-Cache-Status: HIT"),
        ({"X_Proxy_Cache": "hit"}, "X-Proxy-Cache: hit"),
        ({"Age": "0"}, None),
        ({"Age": "soon"}, None),
        ({"X_Cache": "MISS"}, None),
        ({"CF_Cache_Status": "DYNAMIC"}, None),
        ({}, None),
    ],
)
def test_headers_tell_that_a_cache_answered(headers: dict[str, str], cached: str | None) -> None:
    found = facts({"status": "ok"}, **headers)
    assert found.get("cached") == cached
    assert looks_cached(found, now=NOW) is (cached is not None)


@pytest.mark.parametrize(
    ("seconds", "is_cached"), [(0, False), (1.5, False), (3, True), (86400, True), (-60, True)]
)
@pytest.mark.parametrize(
    "write",
    [
        lambda moment: moment.isoformat(),
        lambda moment: moment.isoformat().replace("+00:00", "Z"),
        lambda moment: moment.replace(tzinfo=None).isoformat(),
        lambda moment: moment.timestamp(),
        lambda moment: int(moment.timestamp() * 1000),
    ],
)
@pytest.mark.parametrize("key", ["timestamp", "time", "checked_at"])
def test_a_timestamp_of_another_moment_is_worth_asking_again(
    key: str,
    write: Callable[[datetime], object],
    seconds: float,
    is_cached: bool,  # noqa: FBT001
) -> None:
    found = facts({"status": "ok", key: write(NOW - timedelta(seconds=seconds))})
    assert "timestamp" in found
    assert looks_cached(found, now=NOW) is is_cached


@pytest.mark.parametrize("value", ["soon", "12:30", 0, 12, 0.003, 99_999, True, None, 1e300, -1])
def test_what_is_no_moment_is_no_timestamp(value: object) -> None:
    assert "timestamp" not in facts({"status": "ok", "time": value})


@pytest.mark.parametrize("path", ["/health", "/health?deep=1"])
def test_a_question_past_the_cache_is_a_new_one_each_time(
    path: str, serve: Callable[..., Any]
) -> None:
    target = serve()
    probe = health_probe("api", HealthEndpoint(url=target.url(path)))
    Sampler(concurrency=1, user_agent="t").round(
        [probe, past_the_cache(probe), past_the_cache(probe)]
    )
    plain, first, second = target.requests
    assert plain.path == path
    assert first.path != second.path
    assert all(request.path.startswith(path) for request in (first, second))
    assert first.path.partition("?")[2].count("?") == 0
    assert first.headers["cache-control"] == first.headers["pragma"] == "no-cache"
    assert "cache-control" not in plain.headers


def test_a_health_probe_asks_the_endpoint_as_the_environment_says(
    serve: Callable[..., Any], answer: Callable[..., bytes]
) -> None:
    target = serve(lambda _request: answer(json.dumps({"status": "UP"}), x_cache="HIT"))
    probe = health_probe(
        "database", HealthEndpoint(url=target.url("/db"), timeout=timedelta(seconds=3))
    )
    assert probe.timeout_s == 3
    (seen,) = Sampler(concurrency=1, user_agent="t").round([probe])
    assert (seen.kind, seen.subject, seen.status) == (ObservationKind.HEALTH, "database", 200)
    assert seen.facts == {
        "content_type": "application/json",
        "cached": "X-Cache: HIT",
        "states": {"": "up"},
    }


def test_a_health_answer_of_many_megabytes_is_unread(
    serve: Callable[..., Any], answer: Callable[..., bytes]
) -> None:
    target = serve(lambda _request: answer(b'{"status": "ok", "pad": "' + b"x" * BODY_LIMIT))
    probe = health_probe("api", HealthEndpoint(url=target.url()))
    (seen,) = Sampler(concurrency=1, user_agent="t").round([probe])
    assert seen.facts == {"content_type": "application/json", "unread": True}
