"""Accounts: who sees whose, and what people may change about their own."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

    from tests.sandbox.conftest import Sandbox

USERS = "/api/v1/users"
ME = "/api/v1/auth/me"
FIELDS = {"username", "role", "display_name", "email"}


def change(sandbox: Sandbox, content: object, username: str = "test") -> httpx.Response:
    """Change an account of one's own."""
    return sandbox.client.patch(sandbox.api + ME, json=content, headers=sandbox.bearer(username))


def test_administrator_lists_and_reads_everybody(either_sandbox: Sandbox) -> None:
    bearer = either_sandbox.bearer("admin")
    listing = either_sandbox.get(USERS, headers=bearer).json()
    assert [user["username"] for user in listing["items"]] == ["admin", "test"]
    assert (listing["total"], listing["page"], listing["per_page"]) == (2, 1, 20)
    for user in listing["items"]:
        assert user.keys() == FIELDS
        assert either_sandbox.get(f"{USERS}/{user['username']}", headers=bearer).json() == user
    second = either_sandbox.get(USERS + "?per_page=1&page=2", headers=bearer).json()
    assert [user["username"] for user in second["items"]] == ["test"]


def test_others_read_only_themselves(either_sandbox: Sandbox) -> None:
    bearer = either_sandbox.bearer()
    own = either_sandbox.get(USERS + "/test", headers=bearer)
    assert (own.status_code, own.json()["role"]) == (200, "analyst")
    # Whether somebody is there is told to nobody, either.
    for path in (USERS, USERS + "/admin", USERS + "/nobody"):
        answer = either_sandbox.get(path, headers=bearer)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")


@pytest.mark.parametrize("path", [USERS, USERS + "/test", USERS + "/admin"])
def test_nobody_reads_accounts_without_a_token(sandbox: Sandbox, path: str) -> None:
    assert sandbox.get(path).status_code == 401


@pytest.mark.parametrize(("username", "status"), [("nobody", 404), ("%00", 422), ("a" * 101, 422)])
def test_unknown_account_is_not_found(either_sandbox: Sandbox, username: str, status: int) -> None:
    answer = either_sandbox.get(f"{USERS}/{username}", headers=either_sandbox.bearer("admin"))
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "message"}


def test_people_change_what_they_are_called(either_sandbox: Sandbox) -> None:
    before = either_sandbox.get(USERS + "/test", headers=either_sandbox.bearer()).json()
    answer = change(either_sandbox, {"display_name": "  Тесс 😀  "})
    assert (answer.status_code, answer.json()) == (200, {**before, "display_name": "Тесс 😀"})
    read = either_sandbox.get(USERS + "/test", headers=either_sandbox.bearer("admin"))
    assert read.json() == answer.json()
    assert change(either_sandbox, {"display_name": before["display_name"]}).json() == before


def test_nothing_else_of_an_account_can_be_changed(either_sandbox: Sandbox) -> None:
    before = either_sandbox.get(USERS + "/test", headers=either_sandbox.bearer()).json()
    raised = {**before, "role": "admin", "username": "admin", "email": "a@b.example", "x": 1}
    answer = change(either_sandbox, raised)
    assert (answer.status_code, answer.json()) == (200, before)
    assert either_sandbox.get(ME, headers=either_sandbox.bearer()).json()["role"] == "analyst"


@pytest.mark.parametrize(
    "content",
    [
        *({}, [], {"role": "admin"}),
        *({"display_name": name} for name in ("", " ", 1, None, "a\x00", "a" * 101)),
    ],
)
def test_senseless_change_is_refused(sandbox: Sandbox, content: Any) -> None:
    answer = change(sandbox, content)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_request")


def test_change_needs_a_token(sandbox: Sandbox) -> None:
    answer = sandbox.client.patch(sandbox.api + ME, json={"display_name": "A"})
    assert answer.status_code == 401


def test_openapi_says_who_may_and_what_is_refused(sandbox: Sandbox) -> None:
    paths = sandbox.get("/openapi.json").json()["paths"]
    for path, method, refusals in (
        (USERS, "get", {"401", "403", "422", "503"}),
        (USERS + "/{username}", "get", {"401", "403", "404", "422", "503"}),
        (ME, "patch", {"401", "404", "415", "422", "503"}),
    ):
        operation = paths[path][method]
        assert operation["security"] == [{"HTTPBearer": []}]
        assert operation["responses"].keys() == refusals | {"200"}


def test_database_of_an_earlier_sandbox_gets_what_it_lacks(
    running_sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    path = tmp_path / "earlier.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE users (username VARCHAR(100) PRIMARY KEY, "
            "password_hash VARCHAR(200) NOT NULL, role VARCHAR(20) NOT NULL)"
        )
        connection.execute("INSERT INTO users VALUES ('old', 'x', 'analyst')")
    connection.close()
    sandbox = running_sandbox("--database-url", f"sqlite:///{path}")
    users = sandbox.get(USERS, headers=sandbox.bearer("admin")).json()["items"]
    assert [user["display_name"] for user in users] == ["Ada Administrator", "", "Tess Analyst"]
