"""Everybody sees and does what is theirs, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployment_gate.typing import AccessLooks, Looked

pytestmark = [pytest.mark.provokes, pytest.mark.needs("api.login")]


@pytest.mark.smoke
@pytest.mark.needs("api.private_path")
def test_who_one_is_is_told_to_nobody_else(
    access: AccessLooks, judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(access.cached_identity())


@pytest.mark.needs("api.private_path")
def test_a_private_list_is_given_to_nobody_else(
    access: AccessLooks, judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(access.cached_lists())


@pytest.mark.needs("api.openapi", "api.private_path")
def test_private_operations_ask_for_a_token(
    access: AccessLooks, judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(access.operations_without_token())


@pytest.mark.needs("api.openapi", "api.private_path", "api.login.sends_token")
def test_private_operations_refuse_a_made_up_token(
    access: AccessLooks, judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(access.operations_with_garbage_token())


@pytest.mark.needs("api.private_path", "security.administrative")
def test_administrative_operations_refuse_others(
    access: AccessLooks, judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(access.administrative_operations())


@pytest.mark.writes
@pytest.mark.needs("api.openapi", "api.private_path")
def test_nobody_writes_without_leave(
    access: AccessLooks, judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(access.writing_operations())


@pytest.mark.needs("api.openapi")
def test_strangers_are_told_nothing_of_persons(
    access: AccessLooks, judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(access.personal_data())


@pytest.mark.needs("security.private_objects")
def test_what_belongs_to_one_is_shown_to_no_other(
    access: AccessLooks, judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(access.objects_of_others())


@pytest.mark.writes
@pytest.mark.needs("security.profile")
def test_nobody_gives_themselves_a_role(
    access: AccessLooks, judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(access.own_profile())
