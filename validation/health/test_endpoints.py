"""Every part of the platform says that it is well (runbook 4.1)."""

import pytest

pytestmark = pytest.mark.smoke


def test_endpoint_is_healthy(health_endpoint):
    assert health_endpoint.is_healthy, health_endpoint.account
