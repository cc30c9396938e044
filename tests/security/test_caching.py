"""Answers to one identity that a cache gives to another."""

from __future__ import annotations

import pytest

from deployment_gate.api.sessions import Sessions
from deployment_gate.security.caching import look_at_caches, private_lists
from deployment_gate.security.rules import Looked, Unseen
from tests.security.portal import Portal


def test_a_portal_without_a_cache_has_no_finding(portal: Portal, sessions: Sessions) -> None:
    assert look_at_caches(sessions, ["/me", "/notes"]) == Looked()
    assert portal.statuses("GET", "/me") == [200, 401, 200]


def test_an_answer_that_is_kept_for_all_is_found(portal: Portal, sessions: Sessions) -> None:
    portal.flaws.add("cache")

    (breach,) = look_at_caches(sessions, ["/me", "/notes"]).breaches

    assert (breach.rule.id, breach.severity) == ("cached-for-another", "critical")
    assert breach.places == ("api GET /me", "api GET /notes")
    assert "GET /me without a token was answered what ann had been" in breach.detail
    assert "GET /me as root-of-all was answered what ann had been" in breach.detail
    # Both see the same notes, cache or not.
    assert "GET /notes as root-of-all" not in breach.detail


def test_an_answer_to_somebody_from_before_is_found(portal: Portal, sessions: Sessions) -> None:
    portal.flaws.add("cache")
    sessions.client("root-of-all").get("/me")

    (breach,) = look_at_caches(sessions, ["/me"]).breaches

    assert "GET /me as ann was answered whatever somebody else had been" in breach.detail


def test_what_anybody_may_see_is_no_leak(sessions: Sessions) -> None:
    assert look_at_caches(sessions, ["/about"]) == Looked()


def test_who_is_not_let_in_leaks_nothing(portal: Portal, sessions: Sessions) -> None:
    sessions.token_of("ann")
    portal.kind = "RS256"

    with pytest.raises(Unseen, match="GET /me was answered 401 as ann"):
        look_at_caches(sessions, ["/me"])


def test_lists_that_anybody_may_read_are_left_out(portal: Portal) -> None:
    collections = {"notes": {"path": "/notes"}, "news": {"path": "/news", "public": True}}

    assert private_lists(portal.api(collections=collections)) == ("/notes",)
