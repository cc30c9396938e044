"""Facts that several answers tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from deployment_gate.api.facts import SharedFact, disagreement
from deployment_gate.environment import Fact

ANSWERS = {
    "/version": httpx.Response(200, json={"release": "1.5.0"}, headers={"X-Release": "1.5.0"}),
    "/health": httpx.Response(200, json={"release": "1.4.2", "state": None}),
    "/down": httpx.Response(503, json={"release": "1.5.0"}),
    "/parts": httpx.Response(200, json={"a": {"x": 1, "y": 2}, "b": {"y": 2, "x": 1}}),
    "/long": httpx.Response(200, json={"a": "v" * 200 + "1", "b": "v" * 200 + "2"}),
}


def fact(*told_by: str, **more: Any) -> Fact:
    """A fact by who tells it."""
    return Fact.model_validate({"told_by": list(told_by), **more})


def test_those_who_agree_are_not_told_of() -> None:
    agreeing = fact("/version $.release", "/version header X-Release")
    assert disagreement(agreeing, ANSWERS.__getitem__, {}) is None


def test_who_says_what_is_told_where_they_disagree() -> None:
    told = disagreement(fact("/version $.release", "/health $.release"), ANSWERS.__getitem__, {})
    assert told == '/version $.release say "1.5.0"; /health $.release say "1.4.2"'


def test_who_tells_nothing_is_told_with_the_status() -> None:
    told = disagreement(fact("/version $.release", "/health $.state"), ANSWERS.__getitem__, {})
    assert told == "/health $.state tells nothing (answered 200)"


def test_an_error_tells_nothing() -> None:
    told = disagreement(fact("/version $.release", "/down $.release"), ANSWERS.__getitem__, {})
    assert told == "/down $.release tells nothing (answered 503)"


@pytest.mark.parametrize(("address", "is_same"), [("/parts", True), ("/long", False)])
def test_values_are_compared_whole(address: str, *, is_same: bool) -> None:
    told = disagreement(fact(f"{address} $.a", f"{address} $.b"), ANSWERS.__getitem__, {})
    assert (told is None) is is_same


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"release": "1.5.0"}, None),
        ({"release": "1.6.0"}, '/version $.release say "1.5.0"; expected "1.6.0"'),
        ({}, None),
    ],
)
def test_what_it_must_be_is_compared_where_it_is_known(
    values: dict[str, str], told: str | None
) -> None:
    expected = fact("/version $.release", equals="{{release}}")
    assert disagreement(expected, ANSWERS.__getitem__, values) == told


def test_each_address_is_asked_once() -> None:
    asked: list[str] = []

    def ask(address: str) -> httpx.Response:
        asked.append(address)
        return ANSWERS[address]

    disagreement(fact("/version $.release", "/version header X-Release"), ask, {})
    assert asked == ["/version"]


@pytest.mark.parametrize(
    ("releases", "is_told"), [(["1", "2", "2", "2"], False), (["1", "2", "1", "2"], True)]
)
def test_what_changes_between_two_answers_is_looked_at_again(
    releases: list[str], *, is_told: bool
) -> None:
    told: Iterator[str] = iter(releases)
    pauses: list[None] = []
    shared = SharedFact(
        "release",
        fact("/a $.release", "/b $.release"),
        lambda _: httpx.Response(200, json={"release": next(told)}),
        {},
        lambda: pauses.append(None),
    )
    assert (shared.disagreement() is not None) is is_told
    assert len(pauses) == 1
