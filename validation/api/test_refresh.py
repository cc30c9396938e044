"""A token is renewed without the password, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx

    from deployment_gate.typing import ApiTarget, Sessions

pytestmark = pytest.mark.needs("api.login")

REFUSED = {400, 401, 403}


@pytest.mark.writes
@pytest.mark.needs("api.refresh", "api.private_path")
def test_a_refreshed_token_works(
    api: httpx.Client, sessions: Sessions, api_target: ApiTarget
) -> None:
    name = next(iter(api_target.identities))

    answer = sessions.refresh(sessions.sign_in(name))

    assert answer.is_success, f"{api_target.refresh} was answered {answer.status_code}"
    token = sessions.token_in(answer).value
    private = api.get(str(api_target.private_path), headers=sessions.headers(name, token=token))
    assert private.is_success, f"a refreshed token was answered {private.status_code}"


@pytest.mark.writes
@pytest.mark.provokes
@pytest.mark.needs("api.refresh.rotates")
def test_a_refresh_token_works_once(sessions: Sessions, api_target: ApiTarget) -> None:
    # RFC 9700, 4.14.2: rotation tells that one was stolen.
    token = sessions.sign_in(next(iter(api_target.identities)))
    first = sessions.refresh(token)
    assert first.is_success, f"refreshing was answered {first.status_code}"

    second = sessions.refresh(token)

    assert second.status_code in REFUSED, (
        f"a refresh token that was used already was answered {second.status_code}"
    )
