"""Every part of the platform says that it is well (runbook 4.1)."""

from typing import Protocol

import pytest

pytestmark = pytest.mark.smoke


class HealthResult(Protocol):
    """What the sweep saw of one health endpoint."""

    is_healthy: bool
    account: str


def test_endpoint_is_healthy(health_endpoint: HealthResult) -> None:
    assert health_endpoint.is_healthy, health_endpoint.account
