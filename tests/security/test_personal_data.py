"""Fields that tell of persons, in what anybody is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from deployment_gate.api.sessions import Sessions
from deployment_gate.environment import Security
from deployment_gate.openapi import Document
from deployment_gate.security.personal_data import look_at_personal_data, personal_fields_in
from deployment_gate.security.rules import Looked
from deployment_gate.security.survey import Survey, survey
from tests.security.portal import Portal


@pytest.fixture
def see(portal: Portal, sessions: Sessions) -> Callable[[], Survey]:
    """What the portal documents, and how it answers now."""
    return lambda: survey(Document.parse(portal.document, origin="/openapi.json"), sessions)


def test_a_portal_that_tells_nothing_of_persons_has_no_finding(
    sessions: Sessions, see: Callable[[], Survey]
) -> None:
    assert look_at_personal_data(see(), sessions, Security()) == Looked()


def test_a_persons_address_that_anybody_sees_is_found(
    portal: Portal, sessions: Sessions, see: Callable[[], Survey]
) -> None:
    portal.flaws.add("shows-staff")

    (breach,) = look_at_personal_data(see(), sessions, Security()).breaches

    assert (breach.rule.id, breach.severity) == ("personal-data-open", "critical")
    assert breach.places == ("api GET /about",)
    assert breach.detail == "without a token GET /about has E-Mail"


def test_public_paths_that_nobody_documents_are_looked_at_too(
    portal: Portal, sessions: Sessions, see: Callable[[], Survey]
) -> None:
    portal.document = {**portal.document, "paths": {}}
    portal.flaws.add("shows-staff")
    public = Security.model_validate({"public": ["/about", "/static/*", "/openapi.json"]})

    (breach,) = look_at_personal_data(see(), sessions, public).breaches

    assert breach.places == ("api GET /about",)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"email": "a@b.example"}, ["email"]),
        ([{"dateOfBirth": "2000-01-01"}], ["dateOfBirth"]),
        ({"a": {"Phone-Number": 5550100}}, ["Phone-Number"]),
        ({"phone": ["", "555-0100"]}, ["phone"]),
        ({"email": ""}, []),
        ({"email": None, "phone": [], "iban": {}}, []),
        ({"email": True}, []),
        ({"password": "********"}, []),
        ({"emails_sent": 7}, []),
        ({"openapi": "3.1.0", "email": "a@b.example"}, []),
        ("email", []),
    ],
)
def test_fields_count_where_they_tell_something(body: Any, found: list[str]) -> None:
    answer = httpx.Response(200, json=body)

    assert personal_fields_in(answer, Security().personal_fields) == found


def test_what_is_no_json_has_no_fields() -> None:
    assert personal_fields_in(httpx.Response(200, text="email: a@b.example"), ["email"]) == []
