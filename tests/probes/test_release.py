"""Which release each replica says it is."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from deployment_gate.environment import ReleaseEndpoint
from deployment_gate.evidence import ObservationKind
from deployment_gate.probes.release import release_facts, release_probes
from deployment_gate.probes.sampler import Answer, Sampler


def facts(body: bytes, headers: dict[str, str] | None = None, **where: Any) -> dict[str, Any]:
    """The facts in an answer, read where the endpoint says."""
    endpoint = ReleaseEndpoint(url="http://api/version", **where)
    return release_facts(Answer(200, headers or {}, body, is_truncated=False), endpoint)


def test_the_release_is_read_from_the_body_the_header_or_both() -> None:
    body, headers = b'{"release": "1.5.0"}', {"X-Release": "1.4.2", "X-Pod": "a"}
    assert facts(body, headers, field="release") == {"release": "1.5.0"}
    assert facts(body, headers, header="X-Release") == {"header_release": "1.4.2"}
    assert facts(body, headers, field="release", header="X-Release", instance_header="X-Pod") == {
        "release": "1.5.0",
        "header_release": "1.4.2",
        "instance": "a",
    }


def test_a_field_may_lie_deeper() -> None:
    assert facts(b'{"build": {"version": "1.5.0"}}', field="build.version") == {"release": "1.5.0"}


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"1.5.0", b"{}", b"[]", b'"1.5.0"', b'{"build": "1.5.0"}', b"\xff"),
        *(b'{"build": {"version": null}}', b'{"build": {"version": {}}}', b"<html>"),
    ],
)
def test_a_body_that_names_no_release_has_none(body: bytes) -> None:
    assert facts(body, field="build.version") == {}


def test_a_header_that_is_missing_names_nothing() -> None:
    assert facts(b"", header="X-Release") == {}


def test_a_replica_that_does_not_name_itself_is_told_apart_from_one_that_need_not() -> None:
    assert facts(b"", header="X-Release", instance_header="X-Pod") == {"instance": ""}


@pytest.mark.parametrize(("replicas", "probes"), [(1, 6), (2, 12), (3, 18)])
def test_each_replica_may_be_met_six_times_each_time_on_a_connection_of_its_own(
    replicas: int,
    probes: int,
    serve: Callable[..., Any],
    answer: Callable[..., bytes],
) -> None:
    turns = itertools.cycle("abc"[:replicas])
    target = serve(lambda _request: answer(b'{"v": "1.5.0"}', x_pod=next(turns)))
    endpoint = ReleaseEndpoint(
        url=target.url("/version"),
        field="v",
        instance_header="X-Pod",
        replicas=replicas,
        timeout=timedelta(seconds=5),
    )
    seen = Sampler(concurrency=8, user_agent="t").round(release_probes("api", endpoint))
    assert (len(seen), target.connections) == (probes, probes)
    assert {(one.kind, one.subject) for one in seen} == {(ObservationKind.RELEASE, "api")}
    assert {one.facts["release"] for one in seen} == {"1.5.0"}
    assert {one.facts["instance"] for one in seen} == set("abc"[:replicas])
