"""The project's own checks of odd input, in runs of the gate."""

from __future__ import annotations

import json
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.plugin.conftest import Reply

if TYPE_CHECKING:
    from tests.plugin.conftest import Project, Target

CHECKS = Path(__file__).parents[2] / "validation/security/test_odd_input.py"

API = """
api:
  base_url: TARGET
  login: {request: POST /login, token: $.token}
  identities:
    admin: {username: root, password: "${ROOT_PASSWORD:-password-of-root}", role: admin}
    reader: {username: ada, password: "${ADA_PASSWORD:-password-of-ada}"}
  openapi: {path: /openapi.json, skip: [GET /slow]}
  collections: {books: {path: /books, item: "/books/{{id}}", writer: admin, draft: {title: a}}}
required: {full: [health], smoke: [health]}
"""

NUMBER = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
ANY = {"200": {"description": ""}, "201": {"description": ""}, "422": {"description": ""}}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "books", "version": "1"},
    "paths": {
        "/search": {
            "get": {
                "parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}}],
                "responses": ANY,
            },
        },
        "/mine": {"get": {"responses": ANY, "security": [{"key": []}]}},
        "/slow": {"get": {"responses": ANY}},
        "/books": {
            "post": {
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "properties": {"title": {"type": "string", "maxLength": 9}},
                            }
                        }
                    }
                },
                "responses": ANY,
            }
        },
        "/books/{id}": {
            "put": {"parameters": [NUMBER], "responses": ANY},
            "delete": {"parameters": [NUMBER], "responses": ANY},
        },
    },
    "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
}


@pytest.fixture
def shop(project: Project, target: Target) -> Project:
    """A project with the checks of odd input, and a platform that keeps to its description."""
    target.answers["/openapi.json"] = repeat(Reply(body=json.dumps(DOCUMENT)))
    target.answers["/login"] = repeat(Reply(body='{"token": "token-0123456789"}'))
    target.answers["/books"] = repeat(Reply(status=201, body='{"id": 7}'))
    project.environment(API)
    project.write("validation/security/test_odd_input.py", CHECKS.read_text(encoding="utf-8"))
    return project


def test_without_leave_to_write_all_that_is_sent_only_reads(shop: Project, target: Target) -> None:
    done = shop.run()
    assert done.exit_code == 0, done.output
    sent = [one for one in target.requests if "health" not in one]
    assert {one for one in sent if not one.startswith("GET ")} == {"POST /login"}
    assert 10 < target.counts["GET /search"] <= 20
    assert target.counts["GET /mine"] == 1
    assert target.counts["GET /slow"] == 0
    assert "writes: here gives no leave for it" in done.reports["summary.md"]


def test_what_is_made_where_writing_is_allowed_is_removed_again_and_nothing_else_is(
    shop: Project, target: Target
) -> None:
    shop.environment(f"{API}allow: {{writes: true}}\n")
    done = shop.run()
    assert done.exit_code == 0, done.output
    # Ten made up at the most, and one as it should be.
    assert 3 < target.counts["POST /books"] <= 11
    assert target.counts["DELETE /books/7"] == target.counts["POST /books"]
    writing = {one for one in target.requests if not one.startswith("GET ")}
    assert writing == {"POST /login", "POST /books", "DELETE /books/7"}


def test_an_error_of_the_servers_holds_with_the_command_that_shows_it(
    shop: Project, target: Target
) -> None:
    target.answers["/search"] = repeat(Reply(status=500, body='{"error": "no"}'))
    done = shop.run()
    assert done.exit_code == 1, done.output
    assert "medium: Odd input is answered with an error of the server's" in done.reports.why
    (result,) = json.loads(done.reports["findings.sarif"])["runs"][0]["results"]
    assert result["ruleId"] == "server-error-on-odd-input"
    assert [one["logicalLocations"][0]["fullyQualifiedName"] for one in result["locations"]] == [
        "api GET /search"
    ]
    assert result["properties"]["curl"].startswith("curl --include --request GET")
    assert result["webResponse"]["statusCode"] == 500
    # They were sent on purpose, and count for no rate of errors.
    assert {one["facts"].get("provoked") for one in done.reports.observations("request")} == {True}


def test_without_schemathesis_it_holds_and_says_what_to_install(shop: Project) -> None:
    shop.conftest('import sys\n\nsys.modules["schemathesis"] = None\n')
    done = shop.run("-p", "no:schemathesis")
    assert done.exit_code == 1, done.output
    assert 'Install it: pip install "pytest-deployment-gate[security]"' in done.reports.why


def test_a_description_of_nothing_that_reads_is_not_observed(shop: Project, target: Target) -> None:
    paths = {"/books": DOCUMENT["paths"]["/books"]}
    target.answers["/openapi.json"] = repeat(Reply(body=json.dumps({**DOCUMENT, "paths": paths})))
    done = shop.run()
    assert done.exit_code == 1, done.output
    assert "describes nothing that odd input can be tried on" in done.reports.why
