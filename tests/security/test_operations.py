"""Private and administrative operations, asked as those who may not, and what nobody may change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from deployment_gate.api.sessions import Sessions
from deployment_gate.environment import Security
from deployment_gate.openapi import Document
from deployment_gate.security.access import Admission, admission_of, low_privileged
from deployment_gate.security.operations import (
    look_at_administrative,
    look_at_writing,
    look_with_garbage_token,
    look_without_token,
)
from deployment_gate.security.rules import Looked, Unseen
from deployment_gate.security.survey import Survey, is_harmless, survey
from tests.security.portal import DOCUMENT, Portal

ADMINISTRATIVE = Security.model_validate({"administrative": ["GET /accounts"]})
WRITING = Security.model_validate({"administrative": ["DELETE /notes/{{id}}"]})


@pytest.fixture
def see(portal: Portal, sessions: Sessions) -> Callable[[], Survey]:
    """What the portal documents, and how it answers now."""
    return lambda: survey(Document.parse(portal.document, origin="/openapi.json"), sessions)


def places(looked: Looked) -> dict[str, tuple[str, ...]]:
    return {one.rule.id: one.places for one in looked.breaches}


def test_a_portal_that_asks_for_tokens_has_no_finding(
    portal: Portal, sessions: Sessions, see: Callable[[], Survey]
) -> None:
    seen = see()

    assert look_without_token(seen, sessions, Security()) == Looked()
    assert look_with_garbage_token(seen, sessions, Security()) == Looked()
    assert portal.statuses("GET", "/notes/1") == [200, 401, 401]
    assert portal.statuses("GET", "/accounts") == [403, 401, 401]


def test_an_open_operation_is_found_with_its_template(
    portal: Portal, sessions: Sessions, see: Callable[[], Survey]
) -> None:
    portal.flaws.add("open-operation")
    seen = see()

    without, garbage = (
        look(seen, sessions, Security()) for look in (look_without_token, look_with_garbage_token)
    )

    assert places(without) == {"operation-without-token": ("api GET /notes/{note_id}",)}
    assert places(garbage) == {"operation-with-garbage-token": ("api GET /notes/{note_id}",)}
    assert without.breaches[0].severity == "critical"
    assert "api GET /notes/{note_id} (200)" in without.breaches[0].detail


def test_operations_that_only_look_for_a_header_are_found_by_a_made_up_token(
    portal: Portal, sessions: Sessions, see: Callable[[], Survey]
) -> None:
    seen = see()
    portal.flaws.add("any-header")

    assert look_without_token(seen, sessions, Security()) == Looked()
    (breach,) = look_with_garbage_token(seen, sessions, Security()).breaches
    assert set(breach.places) >= {"api GET /me", "api GET /notes"}


def test_an_answer_that_a_cache_kept_for_somebody_is_no_open_operation(
    portal: Portal, sessions: Sessions, see: Callable[[], Survey]
) -> None:
    portal.flaws.add("cache")

    assert look_without_token(see(), sessions, Security()) == Looked()


def test_what_is_declared_public_may_be_open(
    portal: Portal, sessions: Sessions, see: Callable[[], Survey]
) -> None:
    portal.flaws.add("open-operation")
    public = Security.model_validate({"public": ["/notes/*"]})

    assert look_without_token(see(), sessions, public) == Looked()


@pytest.mark.parametrize("flaw", ["hides", "odd-refusals"])
def test_an_api_may_refuse_in_its_own_way(
    flaw: str, portal: Portal, sessions: Sessions, see: Callable[[], Survey]
) -> None:
    portal.flaws.add(flaw)
    seen = see()

    assert look_without_token(seen, sessions, Security()) == Looked()
    assert look_with_garbage_token(seen, sessions, Security()) == Looked()


def test_a_redirect_tells_nothing_of_who_may(
    portal: Portal, sessions: Sessions, see: Callable[[], Survey]
) -> None:
    portal.flaws.add("redirects")

    looked = look_without_token(see(), sessions, Security())

    assert looked.breaches == ()
    assert "api GET /me was answered 302 without a token" in looked.unseen[0]


def test_refusals_prove_nothing_where_nobody_is_let_in(
    portal: Portal, sessions: Sessions, see: Callable[[], Survey]
) -> None:
    sessions.token_of("ann")
    portal.kind = "RS256"

    with pytest.raises(Unseen, match="GET /me as ann was answered 401"):
        look_without_token(see(), sessions, Security())


def test_a_description_without_a_word_on_access_only_warns(
    portal: Portal, sessions: Sessions, see: Callable[[], Survey]
) -> None:
    portal.document = {**DOCUMENT, "paths": {"/about": DOCUMENT["paths"]["/about"]}}
    seen = see()

    (breach,) = look_without_token(seen, sessions, Security()).breaches

    assert (breach.rule.id, breach.severity) == ("private-operations-undeclared", "low")
    # The environment itself says that these are private.
    assert portal.statuses("GET", "/notes") == [401]
    assert look_with_garbage_token(seen, sessions, Security()) == Looked()


def test_what_the_environment_skips_is_not_asked(
    portal: Portal, sessions_of: Callable[..., Sessions]
) -> None:
    section = {"path": "/openapi.json", "skip": ["GET /accounts", "DELETE /notes/{{id}}"]}
    sessions = sessions_of(openapi=section)
    seen = survey(Document.parse(portal.document, origin="/openapi.json"), sessions)

    look_without_token(seen, sessions, Security())
    look_at_writing(seen, sessions, Security())

    assert portal.statuses("GET", "/accounts") == []
    assert not any(method == "DELETE" for method, _, _ in portal.requests)


def test_what_is_skipped_since_it_is_administrative_is_refused_to_strangers_all_the_same(
    portal: Portal, sessions_of: Callable[..., Sessions]
) -> None:
    sessions = sessions_of(openapi={"path": "/openapi.json", "skip": ["GET /accounts"]})
    document = Document.parse(portal.document, origin="/openapi.json")
    seen = survey(document, sessions, ADMINISTRATIVE.administrative)

    look_without_token(seen, sessions, ADMINISTRATIVE)

    assert portal.statuses("GET", "/accounts") == [401]


def test_administrative_operations_that_refuse_are_no_finding(sessions: Sessions) -> None:
    assert look_at_administrative(sessions, ADMINISTRATIVE, seen=None) == Looked()


def test_an_administrative_operation_that_is_open_to_others_is_found(
    portal: Portal, sessions: Sessions
) -> None:
    portal.flaws.add("any-admin")

    looked = look_at_administrative(sessions, ADMINISTRATIVE, seen=None)

    assert places(looked) == {"administrative-operation-open": ("api GET /accounts",)}
    assert "as ann were answered: api GET /accounts (200)" in looked.breaches[0].detail


def test_places_are_filled_with_what_is_there(portal: Portal, sessions: Sessions) -> None:
    item = Security.model_validate({"administrative": ["GET /notes/{{id}}"]})

    looked = look_at_administrative(sessions, item, seen=None)

    assert places(looked) == {"administrative-operation-open": ("api GET /notes/{{id}}",)}
    assert portal.statuses("GET", "/notes/1") == [200]


def test_a_path_that_is_not_there_tells_nothing(sessions: Sessions) -> None:
    missing = Security.model_validate({"administrative": ["GET /no-such-path"]})

    looked = look_at_administrative(sessions, missing, seen=None)

    assert [one.severity for one in looked.breaches] == []
    assert "api GET /no-such-path was answered 404 as ann" in looked.unseen[0]


def test_a_failure_is_no_refusal(portal: Portal, sessions: Sessions) -> None:
    portal.flaws.add("fails")

    looked = look_at_administrative(sessions, ADMINISTRATIVE, seen=None)

    assert "api GET /accounts was answered 500 as ann" in looked.unseen[0]


def test_only_writing_operations_are_nothing_to_read(sessions: Sessions) -> None:
    with pytest.raises(Unseen, match="no administrative operation is named that only reads"):
        look_at_administrative(sessions, WRITING, seen=None)


def test_writing_operations_that_ask_first_are_no_finding(
    portal: Portal, sessions: Sessions, see: Callable[[], Survey]
) -> None:
    assert look_at_writing(see(), sessions, WRITING) == Looked()
    assert portal.statuses("DELETE", "/notes/2147483647") == [401, 401, 403]
    assert portal.statuses("POST", "/notes") == [401, 401]


def test_one_that_looks_at_the_request_first_is_found_without_harm(
    portal: Portal, sessions: Sessions, see: Callable[[], Survey]
) -> None:
    portal.flaws.add("looks-first")

    looked = look_at_writing(see(), sessions, WRITING)

    assert places(looked) == {
        "operation-without-token": ("api POST /notes",),
        "operation-with-garbage-token": ("api POST /notes",),
    }
    assert {one.severity for one in looked.breaches} == {"high"}
    assert "api POST /notes (422)" in looked.breaches[0].detail


def test_what_could_change_something_is_not_sent(
    portal: Portal, sessions: Sessions, see: Callable[[], Survey]
) -> None:
    rebuild = {"security": [{"bearer": []}], "responses": {"202": {"description": "Begun"}}}
    portal.document = {**DOCUMENT, "paths": {"/rebuild": {"post": rebuild}}}

    looked = look_at_writing(see(), sessions, Security())

    assert portal.statuses("POST", "/rebuild") == []
    assert "POST /rebuild was not sent" in looked.unseen[0]
    assert "`api.openapi.skip`" in looked.unseen[0]


def test_an_administrative_operation_that_nobody_documents_is_not_sent(
    sessions: Sessions, see: Callable[[], Survey]
) -> None:
    unknown = Security.model_validate({"administrative": ["POST /rebuild"]})

    looked = look_at_writing(see(), sessions, unknown)

    assert "POST /rebuild was not sent: the API's description doesn't say" in looked.unseen[0]


NEEDS_TEXT = {"schema": {"type": "object", "required": ["text"]}}


@pytest.mark.parametrize(
    ("method", "path", "body", "is_fine"),
    [
        ("delete", "/notes/{id}", None, True),
        ("post", "/notes/{id}/star", None, True),
        ("put", "/notes/{id}", None, False),
        ("put", "/notes/{id}", {"application/json": NEEDS_TEXT}, True),
        ("post", "/notes", {"application/json": NEEDS_TEXT}, True),
        ("post", "/notes", {"application/json": {"schema": {"type": "object"}}}, False),
        ("post", "/notes", {"multipart/form-data": {"schema": {"type": "object"}}}, True),
        ("delete", "/notes", None, False),
    ],
)
def test_only_what_can_change_nothing_is_harmless(
    method: str,
    path: str,
    body: Mapping[str, Any] | None,
    is_fine: bool,  # noqa: FBT001  # a table's column
) -> None:
    operation: dict[str, Any] = {"responses": {"200": {"description": "Done"}}}
    if body is not None:
        operation["requestBody"] = {"required": True, "content": body}
    document = Document.parse(
        {"openapi": "3.1.0", "paths": {path: {method: operation}}}, origin="/openapi.json"
    )

    assert is_harmless(document, document.operations[0]) is is_fine


@pytest.mark.parametrize(
    ("status", "refusals", "admission"),
    [
        (200, {401}, Admission.LET_IN),
        (204, {401}, Admission.LET_IN),
        (401, {401, 403}, Admission.REFUSED),
        (422, {401, 422}, Admission.REFUSED),
        (422, {401}, Admission.UNCHECKED),
        (404, {401}, Admission.UNCHECKED),
        (302, {401}, Admission.UNCLEAR),
        (405, {401}, Admission.UNCLEAR),
        (429, {401}, Admission.UNCLEAR),
        (503, {401}, Admission.UNCLEAR),
    ],
)
def test_a_status_tells_whether_somebody_was_let_in(
    status: int, refusals: set[int], admission: Admission
) -> None:
    assert admission_of(status, refusals=refusals) is admission


def test_the_least_privileged_is_the_first_who_is_no_administrator(portal: Portal) -> None:
    api = portal.api()
    others = api.identities
    turned = api.model_copy(update={"identities": dict(reversed(others.items()))})
    alone = api.model_copy(update={"identities": {"root-of-all": others["root-of-all"]}})

    assert low_privileged(turned, Security()) == "ann"
    assert low_privileged(turned, Security(low_privilege="root-of-all")) == "root-of-all"
    with pytest.raises(Unseen, match="every identity is an administrator"):
        low_privileged(alone, Security())
