"""Somebody gets through: each journey of the environment file, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployment_gate.typing import JourneyRun

pytestmark = pytest.mark.needs("api.journeys")


def test_journey(journey: Callable[[], JourneyRun]) -> None:
    run = journey()

    assert run.went_well, run.account
