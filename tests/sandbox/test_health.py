"""What the platform says about itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox


def test_health_names_release_environment_time_and_components(either_sandbox: Sandbox) -> None:
    answer = either_sandbox.get("/health")
    content = answer.json()
    assert answer.status_code == 200
    assert content["status"] == "healthy"
    assert (content["release"], content["environment"]) == ("1.5.0", "sandbox")
    age = datetime.now(UTC) - datetime.fromisoformat(content["timestamp"])
    assert timedelta(0) <= age + timedelta(seconds=1) < timedelta(seconds=10)
    assert {name: part["status"] for name, part in content["components"].items()} == {
        "database": "healthy",
        "cache": "healthy",
    }


@pytest.mark.parametrize("path", ["/health/database", "/health/cache"])
def test_each_component_has_a_health_check_of_its_own(sandbox: Sandbox, path: str) -> None:
    answer = sandbox.get(path)
    assert (answer.status_code, answer.json()["status"]) == (200, "healthy")


def test_two_replicas_take_turns_and_name_themselves(sandbox: Sandbox) -> None:
    answers = [sandbox.get("/version") for _ in range(4)]
    assert {answer.headers["x-instance"] for answer in answers} == {"api-1", "api-2"}
    for answer in answers:
        assert answer.json()["instance"] == answer.headers["x-instance"]
        assert answer.json()["release"] == answer.headers["x-release"] == "1.5.0"


def test_one_replica_names_one_release_and_environment_everywhere(sandbox: Sandbox) -> None:
    answers = [
        (path, sandbox.get(path))
        for path in ("/health", "/version", "/openapi.json")
        for _ in range(2)
    ]
    for instance in ("api-1", "api-2"):
        told = {
            path: answer.json()
            for path, answer in answers
            if answer.headers["x-instance"] == instance
        }
        releases = {
            told["/health"]["release"],
            told["/version"]["release"],
            told["/openapi.json"]["info"]["version"],
        }
        assert releases == {"1.5.0"}
        assert told["/health"]["environment"] == told["/version"]["environment"] == "sandbox"


@pytest.mark.parametrize("path", ["/health", "/version", "/nothing", "/api/v1/policies"])
def test_no_answer_of_the_api_may_be_stored(sandbox: Sandbox, path: str) -> None:
    assert sandbox.get(path).headers["cache-control"] == "no-store"


def test_metrics_count_by_route_template_method_and_status(sandbox: Sandbox) -> None:
    bearer = sandbox.bearer()
    for number in (1, 2, 100_000):
        sandbox.get(f"/api/v1/policies/{number}", headers=bearer)
    sandbox.get("/some/scanner/path.php")
    text = sandbox.get("/metrics").text
    labels = 'method="GET",route="/api/v1/policies/{policy_id}"'
    assert f'http_requests_total{{{labels},status="200"}}' in text
    assert f'http_requests_total{{{labels},status="404"}}' in text
    assert 'http_request_duration_seconds_bucket{le="0.2",' in text
    assert "scanner" not in text


def test_openapi_documents_security_and_error_answers(sandbox: Sandbox) -> None:
    description = sandbox.get("/openapi.json").json()
    listing = description["paths"]["/api/v1/policies"]["get"]
    assert listing["security"] == [{"HTTPBearer": []}]
    assert {"200", "401", "422", "503"} <= set(listing["responses"])
    shape = listing["responses"]["422"]["content"]["application/json"]["schema"]["$ref"]
    assert shape.endswith("/ErrorAnswer")
    assert description["info"]["version"] == "1.5.0"


def test_openapi_documents_what_the_api_takes_and_no_more(sandbox: Sandbox) -> None:
    description = sandbox.get("/openapi.json").json()
    operations = description["paths"]
    assert {method for path in operations.values() for method in path} == {
        *("get", "post", "put", "patch", "delete")
    }
    login = description["components"]["schemas"]["Credentials"]["properties"]["expires_in"]
    assert (login["minimum"], login["maximum"], login["default"]) == (1, 3600, 3600)
    for path in ("/api/v1/auth/login", "/api/v1/auth/refresh"):
        answer = operations[path]["post"]["responses"]["200"]["content"]["application/json"]
        assert answer["schema"]["$ref"].endswith("/IssuedTokens")
        assert "415" in operations[path]["post"]["responses"]
    assert "304" in operations["/api/v1/policies/{policy_id}"]["get"]["responses"]
    parameters = {one["name"]: one for one in operations["/api/v1/policies"]["get"]["parameters"]}
    assert parameters["per_page"]["schema"]["maximum"] == 100
    changed = description["components"]["schemas"]["Policy"]["properties"]["updated_at"]
    assert changed["format"] == "date-time"


def test_older_release_knows_no_summary(running_sandbox: type[Sandbox]) -> None:
    sandbox = running_sandbox("--release", "1.4.2")
    assert sandbox.get("/version").json()["release"] == "1.4.2"
    assert sandbox.get("/version").headers["x-release"] == "1.4.2"
    policy = sandbox.get("/api/v1/policies/1", headers=sandbox.bearer()).json()
    assert "summary" not in policy
    assert policy["title"]
    schemas = sandbox.get("/openapi.json").json()["components"]["schemas"]
    assert "summary" not in schemas["Policy"]["properties"]
    assert "summary" not in schemas["Policy"]["required"]
    assert httpx.get(sandbox.web + "/version").json()["release"] == "1.4.2"


def test_newer_release_has_summaries(sandbox: Sandbox) -> None:
    policy = sandbox.get("/api/v1/policies/1", headers=sandbox.bearer()).json()
    assert policy["summary"]
    schemas = sandbox.get("/openapi.json").json()["components"]["schemas"]
    assert "summary" in schemas["Policy"]["properties"]
