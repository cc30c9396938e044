"""Things of one identity, asked for by another."""

from __future__ import annotations

from typing import Any

import pytest

from deployment_gate.api.sessions import Sessions
from deployment_gate.environment import PrivateObject
from deployment_gate.security.objects import look_at_objects
from deployment_gate.security.rules import Looked, Unseen
from tests.security.portal import Portal


def of_the_root(**more: Any) -> list[PrivateObject]:
    raw = {"path": "/accounts/root-of-all", "owner": "root-of-all", **more}
    return [PrivateObject.model_validate(raw)]


def test_what_others_are_refused_is_no_finding(portal: Portal, sessions: Sessions) -> None:
    assert look_at_objects(sessions, of_the_root()) == Looked()
    assert portal.statuses("GET", "/accounts/root-of-all") == [200, 404]


@pytest.mark.parametrize("others", [{}, {"others": ["ann"]}])
def test_what_others_may_read_is_found(
    others: dict[str, list[str]], portal: Portal, sessions: Sessions
) -> None:
    portal.flaws.add("any-object")

    (breach,) = look_at_objects(sessions, of_the_root(**others)).breaches

    assert (breach.rule.id, breach.severity) == ("object-of-another-readable", "critical")
    assert breach.places == ("api GET /accounts/root-of-all",)
    assert "which is root-of-all's, was answered 200 as ann" in breach.detail


def test_an_owner_who_is_refused_proves_nothing(sessions: Sessions) -> None:
    wrong = [PrivateObject(path="/accounts/root-of-all", owner="ann", others=("root-of-all",))]

    with pytest.raises(Unseen, match="as ann was answered 404"):
        look_at_objects(sessions, wrong)


def test_a_failure_tells_nothing(portal: Portal, sessions: Sessions) -> None:
    portal.flaws.add("fails")
    accounts = [PrivateObject(path="/accounts", owner="root-of-all")]

    looked = look_at_objects(sessions, accounts)

    assert looked.breaches == ()
    assert "GET /accounts as ann was answered 500" in looked.unseen[0]
