"""Whoever has the right password gets in, and nobody else (runbook 4.2)."""

from collections.abc import Callable

import httpx
import pytest

pytestmark = pytest.mark.smoke


def test_the_right_password_gets_a_token(token: str) -> None:
    assert token, "signing in gave an empty token"


def test_a_wrong_password_is_refused(sign_in: Callable[[str], httpx.Response]) -> None:
    answer = sign_in("this-is-not-the-password")

    assert answer.status_code in {400, 401, 403}, (
        f"a wrong password was answered {answer.status_code}; expected a refusal"
    )


def test_policies_are_refused_without_a_token(api: httpx.Client, policies_path: str) -> None:
    answer = api.get(policies_path)

    assert answer.status_code in {401, 403}, (
        f"policies without a token were answered {answer.status_code}; expected 401 or 403"
    )
