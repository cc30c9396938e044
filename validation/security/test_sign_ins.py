"""A wrong sign-in tells nothing, opens nothing, and may not be tried for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployment_gate.typing import AccessLooks, Looked

pytestmark = [pytest.mark.provokes, pytest.mark.needs("api.login.request", "api.identities")]


def test_a_refusal_does_not_tell_which_usernames_are_known(
    access: AccessLooks, judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(access.refused_sign_ins())


def test_a_refusal_does_not_repeat_the_password(
    access: AccessLooks, judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(access.echoed_passwords())


def test_accounts_that_software_comes_with_are_closed(
    access: AccessLooks, judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(access.default_accounts())


@pytest.mark.burst
def test_a_refusal_takes_as_long_for_unknown_usernames(
    access: AccessLooks, judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(access.times_of_refusals())


# The last one: where sign-ins are limited by address, nobody here signs in for a while.
@pytest.mark.burst
def test_passwords_may_not_be_tried_for_ever(
    access: AccessLooks, judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(access.sign_in_limit())
