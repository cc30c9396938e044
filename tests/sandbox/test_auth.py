"""Signing in and out, and who may do what."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox

POLICY = {"title": "A", "body": "B", "category": "people", "owner": "C"}


def test_login_gives_a_token_that_says_who_it_is(either_sandbox: Sandbox) -> None:
    answer = either_sandbox.sign_in("admin")
    content = answer.json()
    assert (answer.status_code, content["token_type"]) == (200, "bearer")
    assert 0 < content["expires_in"] <= 3600
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
