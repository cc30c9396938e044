"""A token is worth something only as it was given, for as long as that, and to who has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployment_gate.typing import AccessLooks, Looked, Token

pytestmark = [pytest.mark.provokes, pytest.mark.needs("api.login", "api.private_path")]


@pytest.mark.needs("api.login.sends_token")
def test_an_altered_token_is_refused(
    access: AccessLooks, judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(access.altered_tokens())


@pytest.mark.needs("api.login.short_lived", "api.login.lifetime")
def test_an_expired_token_is_refused(
    access: AccessLooks, short_lived_token: Token | None, judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(access.expired_token(short_lived_token))


@pytest.mark.writes
@pytest.mark.needs("api.logout")
def test_a_signed_out_token_is_refused(
    access: AccessLooks, judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(access.signed_out_token())


@pytest.mark.needs("api.login.request", "api.login.sends_token")
def test_each_sign_in_gives_a_token_of_its_own(
    access: AccessLooks, judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(access.renewed_tokens())
