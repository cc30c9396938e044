"""Signing in and out, and who may do what."""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx

    from tests.sandbox.conftest import Sandbox

POLICY = {"title": "A", "body": "B", "category": "people", "owner": "C"}


def ask_to_sign_in(sandbox: Sandbox, **more: object) -> httpx.Response:
    """Ask for a token in other words."""
    credentials = {"username": "test", "password": "test-password-of-the-sandbox", **more}
    return sandbox.client.post(sandbox.api + "/api/v1/auth/login", json=credentials)


def refresh(sandbox: Sandbox, token: str) -> httpx.Response:
    """Ask for new tokens."""
    return sandbox.client.post(sandbox.api + "/api/v1/auth/refresh", json={"refresh_token": token})


def test_login_gives_a_token_that_says_who_it_is(either_sandbox: Sandbox) -> None:
    answer = either_sandbox.sign_in("admin")
    content = answer.json()
    assert (answer.status_code, content["token_type"]) == (200, "bearer")
    assert content["expires_in"] == 3600
    me = either_sandbox.get("/api/v1/auth/me", headers=either_sandbox.bearer("admin"))
    assert me.json() == {"username": "admin", "role": "admin"}


def test_wrong_user_and_wrong_password_read_alike(either_sandbox: Sandbox) -> None:
    wrong_password = either_sandbox.sign_in("test", "wrong")
    wrong_user = either_sandbox.sign_in("nobody", "wrong")
    assert wrong_password.status_code == wrong_user.status_code == 401
    assert wrong_password.json() == wrong_user.json()
    assert wrong_password.json()["error"]["code"] == "wrong_credentials"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"username": "a\\u0000", "password": "b"}']
)
def test_login_without_credentials_is_refused_politely(
    either_sandbox: Sandbox, content: bytes
) -> None:
    answer = either_sandbox.client.post(
        either_sandbox.api + "/api/v1/auth/login",
        content=content,
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 422
    assert set(answer.json()["error"]) == {"code", "message"}


def test_signing_out_revokes_the_token_at_once(either_sandbox: Sandbox) -> None:
    bearer = either_sandbox.bearer()
    assert either_sandbox.get("/api/v1/auth/me", headers=bearer).status_code == 200
    signed_out = either_sandbox.client.post(
        either_sandbox.api + "/api/v1/auth/logout", headers=bearer
    )
    assert signed_out.status_code == 204
    assert either_sandbox.get("/api/v1/auth/me", headers=bearer).status_code == 401


@pytest.mark.parametrize("path", ["/api/v1/policies", "/api/v1/policies/1", "/api/v1/search?q=a"])
@pytest.mark.parametrize("header", [None, "Bearer nonsense", "Basic dGVzdDp0ZXN0", "Bearer é"])
def test_reading_needs_a_good_token(sandbox: Sandbox, path: str, header: str | None) -> None:
    headers = {"Authorization": header.encode()} if header else {}
    answer = sandbox.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["error"]["code"] == "unauthorized"


def test_unsigned_and_altered_tokens_are_refused(sandbox: Sandbox) -> None:
    header, claims, signature = sandbox.sign_in().json()["access_token"].split(".")
    read = json.loads(base64.urlsafe_b64decode(claims + "=="))
    raised = base64.urlsafe_b64encode(json.dumps({**read, "role": "admin"}).encode()).decode()
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    for token in (
        f"{header}.{raised.rstrip('=')}.{signature}",
        f"{unsigned}.{claims}.",
    ):
        answer = sandbox.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401


def test_analyst_may_not_write(sandbox: Sandbox) -> None:
    answer = sandbox.client.post(
        sandbox.api + "/api/v1/policies", json=POLICY, headers=sandbox.bearer()
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")


def test_passwords_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, running_sandbox: type[Sandbox]
) -> None:
    monkeypatch.setenv("SANDBOX_TEST_PASSWORD", "another one")
    sandbox = running_sandbox()
    assert sandbox.sign_in("test", "another one").status_code == 200
    assert sandbox.sign_in("test").status_code == 401


def test_token_lives_as_long_as_was_asked_for(either_sandbox: Sandbox) -> None:
    signed_in = ask_to_sign_in(either_sandbox, expires_in=2)
    asked_at = time.monotonic()
    assert signed_in.json()["expires_in"] == 2
    bearer = {"Authorization": f"Bearer {signed_in.json()['access_token']}"}
    assert either_sandbox.get("/api/v1/auth/me", headers=bearer).status_code == 200
    time.sleep(max(0.0, asked_at + 2 - time.monotonic()))
    assert either_sandbox.get("/api/v1/auth/me", headers=bearer).status_code == 401


@pytest.mark.parametrize("expires_in", [0, -1, 3601, 1.5, "60", True, None])
def test_senseless_lifetime_is_refused(sandbox: Sandbox, expires_in: object) -> None:
    answer = ask_to_sign_in(sandbox, expires_in=expires_in)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_request")


def test_refresh_token_gets_new_tokens_once(either_sandbox: Sandbox) -> None:
    first = either_sandbox.sign_in("admin").json()
    second = refresh(either_sandbox, first["refresh_token"])
    assert second.status_code == 200
    assert second.json().keys() == first.keys()
    assert second.json()["expires_in"] == 3600
    assert second.json()["access_token"] != first["access_token"]
    bearer = {"Authorization": f"Bearer {second.json()['access_token']}"}
    me = either_sandbox.get("/api/v1/auth/me", headers=bearer)
    assert me.json() == {"username": "admin", "role": "admin"}

    again = refresh(either_sandbox, first["refresh_token"])
    assert (again.status_code, again.json()["error"]["code"]) == (401, "wrong_refresh_token")
    assert again.headers["www-authenticate"] == "Bearer"
    assert refresh(either_sandbox, second.json()["refresh_token"]).status_code == 200


def test_of_many_who_use_a_refresh_token_at_once_one_gets_in(either_sandbox: Sandbox) -> None:
    token = either_sandbox.sign_in().json()["refresh_token"]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: refresh(either_sandbox, token), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7


@pytest.mark.parametrize("token", ["", "nonsense", "😀", "a\x00b"])
def test_unknown_refresh_token_is_refused(either_sandbox: Sandbox, token: str) -> None:
    assert refresh(either_sandbox, token).status_code == 401


def test_signing_out_ends_all_tokens_of_that_session_and_no_other(either_sandbox: Sandbox) -> None:
    first, other = either_sandbox.sign_in().json(), either_sandbox.sign_in().json()
    second = refresh(either_sandbox, first["refresh_token"]).json()
    bearer = {"Authorization": f"Bearer {second['access_token']}"}
    address = either_sandbox.api + "/api/v1/auth/logout"
    assert either_sandbox.client.post(address, headers=bearer).status_code == 204

    assert refresh(either_sandbox, second["refresh_token"]).status_code == 401
    for ended in (first, second):
        bearer = {"Authorization": f"Bearer {ended['access_token']}"}
        assert either_sandbox.get("/api/v1/auth/me", headers=bearer).status_code == 401
    bearer = {"Authorization": f"Bearer {other['access_token']}"}
    assert either_sandbox.get("/api/v1/auth/me", headers=bearer).status_code == 200
    assert refresh(either_sandbox, other["refresh_token"]).status_code == 200


def test_refresh_tokens_are_kept_hashed(sandbox: Sandbox) -> None:
    token = sandbox.sign_in().json()["refresh_token"]
    with sqlite3.connect(sandbox.state_dir / "platform.sqlite3") as connection:
        kept = [row[0] for row in connection.execute("SELECT token_hash FROM refresh_tokens")]
    connection.close()
    assert hashlib.sha256(token.encode()).hexdigest() in kept
    assert token not in kept
