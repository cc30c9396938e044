"""Whoever has the right password gets in, and nobody else (runbook 4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from deployment_gate.typing import ApiTarget, Sessions

pytestmark = pytest.mark.needs("api.login")

# A wrong password that is offered again and again locks the account that it is offered for.
WRONG_PASSWORD = "this-is-not-the-password"  # noqa: S105


@pytest.mark.smoke
@pytest.mark.needs("api.tells_sign_ins")
def test_the_right_password_gets_a_token(
    identity: str, api_as: Callable[[str], httpx.Client], api_target: ApiTarget
) -> None:
    client = api_as(identity)

    if api_target.private_path:
        status = client.get(api_target.private_path).status_code
        # 403: known, but this isn't for everybody.
        assert status < 400 or status == 403, (
            f"{identity} signed in, and GET {api_target.private_path} was still answered {status}"
        )


@pytest.mark.smoke
@pytest.mark.provokes
@pytest.mark.needs("api.tells_sign_ins")
def test_a_wrong_password_is_refused(sessions: Sessions, api_target: ApiTarget) -> None:
    name = next(iter(api_target.identities))

    answer = sessions.offer(name, password=WRONG_PASSWORD)

    assert sessions.is_refused(answer), (
        f"a wrong password was answered {answer.status_code}; expected a refusal"
    )


@pytest.mark.smoke
@pytest.mark.provokes
@pytest.mark.needs("api.private_path")
def test_what_is_private_is_refused_without_a_token(
    api: httpx.Client, api_target: ApiTarget
) -> None:
    path = str(api_target.private_path)

    answer = api.get(path)

    assert answer.status_code in {401, 403}, (
        f"GET {path} without a token was answered {answer.status_code}; expected 401 or 403"
    )


# So that this token has expired by the time that security/test_tokens.py looks at it.
@pytest.mark.usefixtures("short_lived_token")
@pytest.mark.provokes
@pytest.mark.needs("api.private_path", "api.login.sends_token")
def test_a_token_that_was_never_given_is_refused(
    api: httpx.Client, sessions: Sessions, api_target: ApiTarget
) -> None:
    path = str(api_target.private_path)
    name = next(iter(api_target.identities))

    answer = api.get(path, headers=sessions.headers(name, token="made.up.token"))  # noqa: S106

    assert answer.status_code in {401, 403}, (
        f"GET {path} with a made-up token was answered {answer.status_code}; expected 401 or 403"
    )


@pytest.mark.needs("api.whoami")
def test_a_token_is_of_whoever_signed_in(
    identity: str, api_as: Callable[[str], httpx.Client], api_target: ApiTarget
) -> None:
    whoami = api_target.whoami
    assert whoami
    answer = api_as(identity).get(whoami.path)

    assert answer.is_success, f"GET {whoami.path} as {identity} was answered {answer.status_code}"
    told = answer.json()
    expected = api_target.identities[identity]
    if whoami.username and expected.username:
        name = whoami.username.first(told)
        assert name == expected.username, f"the token of {expected.username} is {name}'s"
    if whoami.role and expected.role:
        role = whoami.role.first(told)
        assert role == expected.role, f"{identity} has the role {role}, not {expected.role}"
