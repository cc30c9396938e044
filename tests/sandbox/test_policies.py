"""Policies: listed, read, written and found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox

POLICY = {
    "title": "Zebra Crossing Policy",
    "summary": "Who may cross.",
    "body": "Wildebeests wait.",
    "category": "people",
    "status": "draft",
    "owner": "Savanna",
}
ODD_SEARCHES = [
    "'",
    '"',
    "*",
    "(",
    "AND",
    "NEAR(",
    "a:b",
    "-",
    "%",
    "\\",
    "\x00",
    "😀",
    "^a",
    "_",
    " ",
]


def test_pages_hold_every_policy_once(either_sandbox: Sandbox) -> None:
    bearer = either_sandbox.bearer()
    seen: list[int] = []
    for page in range(1, 8):
        answer = either_sandbox.get(
            "/api/v1/policies", params={"page": page, "per_page": 10}, headers=bearer
        ).json()
        assert (answer["page"], answer["per_page"]) == (page, 10)
        seen += [policy["id"] for policy in answer["items"]]
    assert len(seen) == len(set(seen)) == answer["total"] >= 60


def test_filters_narrow_the_list(either_sandbox: Sandbox) -> None:
    answer = either_sandbox.get(
        "/api/v1/policies",
        params={"status": "active", "category": "privacy", "per_page": 100},
        headers=either_sandbox.bearer(),
    ).json()
    assert answer["items"]
    assert {(one["status"], one["category"]) for one in answer["items"]} == {("active", "privacy")}
    assert answer["total"] == len(answer["items"])


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=x",
        "per_page=0",
        "per_page=101",
        "page=99999999999999999999",
        "status=sleeping",
        "category=%00",
    ],
)
def test_senseless_parameters_are_refused(either_sandbox: Sandbox, query: str) -> None:
    answer = either_sandbox.get(f"/api/v1/policies?{query}", headers=either_sandbox.bearer())
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_request")
    assert query.split("=", maxsplit=1)[0] in answer.json()["error"]["message"]


def test_policy_is_created_read_changed_and_removed(either_sandbox: Sandbox) -> None:
    bearer = either_sandbox.bearer("admin")
    client, root = either_sandbox.client, either_sandbox.api
    created = client.post(f"{root}/api/v1/policies", json=POLICY, headers=bearer)
    assert created.status_code == 201
    address = root + created.headers["location"]
    assert client.get(address, headers=bearer).json().items() >= POLICY.items()
    assert either_sandbox.get("/api/v1/search?q=wildebeest", headers=bearer).json()["total"] == 1

    changed = client.put(address, json={**POLICY, "body": "Giraffes go first."}, headers=bearer)
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert client.get(address, headers=bearer).json()["body"] == "Giraffes go first."
    assert either_sandbox.get("/api/v1/search?q=wildebeest", headers=bearer).json()["total"] == 0
    assert either_sandbox.get("/api/v1/search?q=giraffe", headers=bearer).json()["total"] == 1

    assert client.delete(address, headers=bearer).status_code == 204
    assert client.get(address, headers=bearer).status_code == 404
    assert either_sandbox.get("/api/v1/search?q=giraffe", headers=bearer).json()["total"] == 0


def test_change_based_on_an_outdated_version_is_refused(either_sandbox: Sandbox) -> None:
    bearer = either_sandbox.bearer("admin")
    client, root = either_sandbox.client, either_sandbox.api
    created = client.post(f"{root}/api/v1/policies", json=POLICY, headers=bearer)
    address = root + created.headers["location"]
    meant = {**bearer, "If-Match": created.headers["etag"]}
    assert client.put(address, json=POLICY, headers=meant).status_code == 200
    late = client.put(address, json=POLICY, headers=meant)
    assert (late.status_code, late.json()["error"]["code"]) == (412, "precondition_failed")
    assert client.delete(address, headers=meant).status_code == 412
    assert client.delete(address, headers={**bearer, "If-Match": "*"}).status_code == 204


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_unknown_policy_is_not_found(either_sandbox: Sandbox, method: str) -> None:
    answer = either_sandbox.client.request(
        method,
        either_sandbox.api + "/api/v1/policies/424242",
        json=POLICY if method == "PUT" else None,
        headers=either_sandbox.bearer("admin"),
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "change", [{"title": ""}, {"title": "a\x00b"}, {"status": "?"}, {"body": 1}]
)
def test_policy_that_makes_no_sense_is_refused(
    either_sandbox: Sandbox, change: dict[str, object]
) -> None:
    answer = either_sandbox.client.post(
        either_sandbox.api + "/api/v1/policies",
        json={**POLICY, **change},
        headers=either_sandbox.bearer("admin"),
    )
    assert answer.status_code == 422
    assert next(iter(change)) in answer.json()["error"]["message"]


def test_search_finds_what_has_all_the_words(either_sandbox: Sandbox) -> None:
    bearer = either_sandbox.bearer()
    found = either_sandbox.get("/api/v1/search?q=policy&per_page=5", headers=bearer).json()
    assert found["query"] == "policy"
    assert found["total"] > len(found["items"]) == 5
    both = either_sandbox.get("/api/v1/search?q=password+factor", headers=bearer).json()
    assert [policy["title"] for policy in both["items"]] == ["Password Policy"]


@pytest.mark.parametrize("word", ["копирования", "ευκαιριών", "عن", "個人情報", "compras"])
def test_search_finds_words_of_other_scripts(either_sandbox: Sandbox, word: str) -> None:
    found = either_sandbox.get(
        "/api/v1/search", params={"q": word}, headers=either_sandbox.bearer()
    )
    assert found.json()["total"] == 1


def test_odd_signs_in_a_search_do_no_harm(either_sandbox: Sandbox) -> None:
    bearer = either_sandbox.bearer()
    for q in ODD_SEARCHES:
        answer = either_sandbox.get("/api/v1/search", params={"q": q}, headers=bearer)
        assert answer.status_code == 200, q
    injected = either_sandbox.get("/api/v1/search?q=x' OR '1'='1", headers=bearer)
    assert injected.json()["total"] == 0


def test_search_needs_words_to_look_for(either_sandbox: Sandbox) -> None:
    bearer = either_sandbox.bearer()
    assert either_sandbox.get("/api/v1/search", headers=bearer).status_code == 422
    assert either_sandbox.get("/api/v1/search?q=", headers=bearer).json()["total"] == 0
    assert either_sandbox.get(f"/api/v1/search?q={'a' * 201}", headers=bearer).status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nothing", 404), ("PATCH", "/version", 405)]
)
def test_errors_of_routing_have_the_one_shape(
    sandbox: Sandbox, method: str, path: str, status: int
) -> None:
    answer = sandbox.client.request(method, sandbox.api + path)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "message"}


def test_only_the_web_interface_may_ask_from_a_browser(sandbox: Sandbox) -> None:
    allowed = sandbox.get("/version", headers={"Origin": sandbox.web})
    assert allowed.headers["access-control-allow-origin"] == sandbox.web
    other = sandbox.get("/version", headers={"Origin": "http://evil.example"})
    assert "access-control-allow-origin" not in other.headers
