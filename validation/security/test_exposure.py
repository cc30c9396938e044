"""Nothing lies in the open that isn't meant to (OWASP ASVS 5.0, 13.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from deployment_gate.typing import Looked

# Whoever asks for what isn't there is refused, and that says nothing of how users are served.
pytestmark = pytest.mark.provokes


@pytest.mark.smoke
def test_neither_sources_nor_settings_can_be_read(
    open_to_anybody: Callable[[str], Looked], judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(open_to_anybody("repository"))


def test_no_file_with_secrets_can_be_read(
    open_to_anybody: Callable[[str], Looked], judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(open_to_anybody("secrets"))


def test_no_backup_can_be_read(
    open_to_anybody: Callable[[str], Looked], judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(open_to_anybody("backups"))


def test_pages_for_developers_are_closed(
    open_to_anybody: Callable[[str], Looked], judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(open_to_anybody("debugging"))


def test_metrics_are_closed_unless_they_are_public(
    open_to_anybody: Callable[[str], Looked], judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(open_to_anybody("metrics"))


def test_descriptions_of_the_api_are_closed_unless_they_are_public(
    open_to_anybody: Callable[[str], Looked], judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(open_to_anybody("description"))


def test_no_file_of_the_project_can_be_read(
    open_to_anybody: Callable[[str], Looked], judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(open_to_anybody("project"))


def test_no_folder_is_listed(
    listed_folders: Callable[[], Looked], judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(listed_folders())


def test_a_path_that_cannot_exist_is_not_answered_with_a_success(
    unknown_paths_answered: Callable[[], Looked], judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(unknown_paths_answered())


@pytest.mark.needs("web")
def test_security_txt_says_whom_to_tell(
    security_txt: Callable[[], Looked], judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(security_txt())


def test_no_host_is_believed_that_a_request_makes_up(
    hosts_believed: Callable[[], Looked], judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(hosts_believed())


def test_trace_is_refused(
    traced: Callable[[], Looked], judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(traced())


def test_no_get_is_carried_out_as_another_method(
    overridden: Callable[[], Looked], judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(overridden())


@pytest.mark.needs("web")
def test_scripts_keep_their_sources(
    source_maps: Callable[[], Looked], judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(source_maps())


@pytest.mark.needs("web")
def test_no_secret_stands_in_a_page_or_a_script(
    secrets_in_pages: Callable[[], Looked], judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(secrets_in_pages())
