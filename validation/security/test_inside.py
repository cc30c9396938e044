"""Errors show nothing of the platform's inside (OWASP ASVS 5.0, 16.5.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from deployment_gate.typing import Looked


@pytest.mark.provokes
def test_errors_show_nothing_of_the_inside(
    errors_provoked: Callable[[], Looked], judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(errors_provoked())
