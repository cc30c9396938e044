"""A token is good for as long as it was given for, and not after it was given up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx

    from deployment_gate.typing import ApiTarget, Sessions, Token

pytestmark = pytest.mark.needs("api.login")

REFUSED = {400, 401, 403}
# Clocks of two machines, and whole seconds on both.
LEEWAY_S = 2.0
LONGEST_WAIT_S = 15.0


@pytest.mark.provokes
@pytest.mark.needs("api.login.short_lived", "api.login.lifetime", "api.private_path")
def test_a_token_that_has_expired_is_refused(
    api: httpx.Client, sessions: Sessions, api_target: ApiTarget, short_lived_token: Token | None
) -> None:
    path, name = str(api_target.private_path), next(iter(api_target.identities))
    token = short_lived_token
    assert token, "the `api` section says no `login.short_lived`"
    assert token.lifetime_s is not None, "signing in did not say how long the token lives"
    assert token.lifetime_s <= LONGEST_WAIT_S, (
        f"the short-lived token lives {token.lifetime_s:g} s. "
        "See that `login.short_lived` asks for less"
    )

    deadline = time.monotonic() + token.lifetime_s + LEEWAY_S
    while (answer := api.get(path, headers=sessions.headers(name, token=token.value))).is_success:
        assert time.monotonic() < deadline, (
            f"a token that is good for {token.lifetime_s:g} s was still answered "
            f"{answer.status_code} {LEEWAY_S:g} s after that"
        )
        time.sleep(0.2)

    assert answer.status_code in {401, 403}, f"an expired token was answered {answer.status_code}"
    still_good = api.get(path, headers=sessions.headers(name))
    assert still_good.is_success, (
        f"a token that is still good was answered {still_good.status_code}, so the refusal of the "
        "expired one proves nothing"
    )


@pytest.mark.writes
@pytest.mark.provokes
@pytest.mark.needs("api.logout", "api.private_path")
def test_a_token_is_dead_after_signing_out(
    api: httpx.Client, sessions: Sessions, api_target: ApiTarget
) -> None:
    path, name = str(api_target.private_path), next(iter(api_target.identities))
    assert api_target.logout
    headers = sessions.headers(name, token=sessions.sign_in(name).value)
    before = api.get(path, headers=headers)
    assert before.is_success, f"a new token was answered {before.status_code}"

    out = api.request(api_target.logout.method, api_target.logout.path, headers=headers)

    assert out.is_success, f"{api_target.logout} was answered {out.status_code}"
    after = api.get(path, headers=headers)
    assert after.status_code in {401, 403}, (
        f"a token that was signed out was still answered {after.status_code}"
    )


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
