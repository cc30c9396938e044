"""The API answers odd input as its own description says, and never with an error of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from deployment_gate.typing import Looked

pytestmark = [
    pytest.mark.needs("api.openapi"),
    pytest.mark.provokes,
    pytest.mark.timeout(300),  # `security.odd_input.duration` bounds it
]


def test_odd_input_is_answered_as_described(
    odd_reads: Callable[[], Looked], judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(odd_reads())


@pytest.mark.writes
@pytest.mark.needs("api.openapi", "api.collections")
def test_odd_items_are_answered_as_described(
    odd_writes: Callable[[], Looked], judge_findings: Callable[[Looked], None]
) -> None:
    judge_findings(odd_writes())
