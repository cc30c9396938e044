"""A role beside what people may change of themselves, and putting everything back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from deployment_gate.api.sessions import Sessions
from deployment_gate.environment import Profile
from deployment_gate.security.profiles import look_at_profile
from deployment_gate.security.rules import Looked, Unseen
from tests.security.portal import ROLES, Portal


@pytest.fixture
def profile() -> Profile:
    """How one changes one's nick."""
    return Profile.model_validate(
        {"request": "PATCH /me", "body": {"nick": "Annie"}, "role": "$.role"}
    )


def test_a_role_that_is_passed_over_is_no_finding(
    portal: Portal, sessions: Sessions, profile: Profile
) -> None:
    assert look_at_profile(sessions, profile, "ann") == Looked()
    assert portal.roles == ROLES
    assert portal.nicks["ann"] == "A"


@pytest.mark.parametrize("flaw", ["takes-role", "takes-role-alone"])
def test_a_role_that_is_taken_is_found_and_given_back(
    flaw: str, portal: Portal, sessions: Sessions, profile: Profile
) -> None:
    portal.flaws.add(flaw)

    looked = look_at_profile(sessions, profile, "ann")

    (breach,) = looked.breaches
    assert (breach.rule.id, breach.severity) == ("role-taken-from-request", "critical")
    assert breach.places == ("api PATCH /me",)
    assert "is admin after that, and was reader before" in breach.detail
    assert looked.unseen == ()
    assert portal.roles == ROLES
    assert portal.nicks["ann"] == "A"


def test_a_role_that_cannot_be_given_back_is_told(
    portal: Portal, sessions: Sessions, profile: Profile
) -> None:
    portal.flaws |= {"takes-role", "keeps-role"}

    looked = look_at_profile(sessions, profile, "ann")

    assert "See by hand that ann is reader again" in looked.breaches[0].detail
    assert portal.roles["ann"] == "admin"


def test_what_was_changed_is_put_back_when_the_look_fails(
    portal: Portal, sessions_of: Callable[..., Sessions], profile: Profile
) -> None:
    portal.flaws.add("takes-role")
    sessions = sessions_of()
    send, changes = sessions.stranger.request, []

    def fail_after_the_change(method: str, *args: Any, **options: Any) -> httpx.Response:
        answer = send(method, *args, **options)
        changes.append(options.get("json"))
        if "roles" in (changes[-1] or {}) and portal.roles["ann"] == "admin":
            raise httpx.ReadTimeout("no answer")
        return answer

    sessions.stranger.request = fail_after_the_change  # type: ignore[method-assign]

    with pytest.raises(httpx.ReadTimeout):
        look_at_profile(sessions, profile, "ann")

    assert portal.roles == ROLES
    assert portal.nicks["ann"] == "A"


def test_a_change_that_is_refused_proves_nothing(
    portal: Portal, sessions: Sessions, profile: Profile
) -> None:
    portal.flaws.add("refuses-changes")

    with pytest.raises(Unseen, match="PATCH /me was answered 422 as ann although"):
        look_at_profile(sessions, profile, "ann")


def test_a_role_that_nobody_tells_cannot_be_seen_to_change(
    sessions_of: Callable[..., Sessions],
) -> None:
    sessions = sessions_of(whoami={"path": "/me"})
    blind = Profile.model_validate(
        {"request": "PATCH /me", "body": {"nick": "A"}, "role": "$.no.role"}
    )

    with pytest.raises(Unseen, match="no answer says which role ann has"):
        look_at_profile(sessions, blind, "ann")
