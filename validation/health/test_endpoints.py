"""Every part of the platform says that it is well (runbook 4.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from deployment_gate.typing import HealthResult

pytestmark = pytest.mark.smoke


def test_endpoint_is_healthy(health_endpoint: HealthResult) -> None:
    assert health_endpoint.is_healthy, health_endpoint.account
