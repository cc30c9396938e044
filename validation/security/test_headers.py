"""Answers of every kind keep browsers from what would harm those who use them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployment_gate.typing import Looked

# Refusals and mistakes are asked for, too.
pytestmark = pytest.mark.provokes


@pytest.mark.smoke
def test_every_answer_bears_its_security_headers(
    headers_seen: Looked, judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(headers_seen)


@pytest.mark.needs("web")
def test_pages_are_graded_well(
    grade_seen: Looked, judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(grade_seen)


@pytest.mark.needs("web")
def test_the_content_policy_holds(
    policies_seen: Looked, judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(policies_seen)


def test_cookies_are_kept_close(
    cookies_seen: Looked, judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(cookies_seen)


@pytest.mark.needs("api")
def test_other_origins_are_refused(
    origins_seen: Looked, judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(origins_seen)


def test_nothing_tells_product_and_version(
    leaks_seen: Looked, judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(leaks_seen)


@pytest.mark.needs("web")
def test_pages_load_nothing_unguarded(
    page_sources_seen: Looked, judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(page_sources_seen)
