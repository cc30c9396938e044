"""Pages are quick, as a person feels it (runbook 4.3: < 2s for 95% of page loads)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from deployment_gate.typing import SeenSpeed

pytestmark = [pytest.mark.needs("web"), pytest.mark.timeout(180)]


def test_page_is_there_in_time(page_speed: SeenSpeed) -> None:
    assert not page_speed.load_time_faults, page_speed.account(page_speed.load_time_faults)


def test_page_feels_quick_and_steady(page_speed: SeenSpeed) -> None:
    assert not page_speed.feeling_faults, page_speed.account(page_speed.feeling_faults)
