"""What the generator adds by itself, seen on a server that answers at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deployment_gate.load.calibration import CALIBRATION_USERS, Calibration, calibrate
from deployment_gate.load.course import Generator
from deployment_gate.load.generator import LoadGenerator
from deployment_gate.load.plan import LoadPlan
from deployment_gate.probes.apart import run_apart
from tests.load.loads import plan


@pytest.fixture
def look() -> Callable[..., Calibration]:
    def look(rate: float, **settings: int) -> Calibration:
        def generate(of: LoadPlan) -> Generator:
            return LoadGenerator(of, CALIBRATION_USERS, **settings)

        return run_apart(calibrate(plan(rate), generate))

    return look


def test_a_rate_that_it_can_carry_shows_its_own_delay(look: Callable[..., Calibration]) -> None:
    seen = look(100)

    assert seen.shortfall is None
    assert seen.delay_s is not None
    assert 0 < seen.delay_s < 0.1


def test_one_that_no_process_carries_is_told_before_any_load(
    look: Callable[..., Calibration],
) -> None:
    seen = look(100_000)

    assert seen.shortfall is not None
    assert "add workers" in seen.shortfall
