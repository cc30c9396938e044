"""What one second of load was, as it is handed over."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from deployment_gate.load.recording import together
from deployment_gate.load.seconds import EndpointSecond, LoadSecond, merged, new_histogram


def histogram(*values_us: int) -> str:
    """A histogram of these values."""
    whole = new_histogram()
    for value in values_us:
        whole.record_value(value)
    return str(whole.encode().decode())


def second_of(*values_us: int, wrong: dict[str, int] | None = None) -> LoadSecond:
    """A second in which one endpoint's answers took so long."""
    text = histogram(*values_us)
    return LoadSecond(
        second=3,
        at=datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC),
        users=2,
        workers=1,
        due=4,
        sent=4,
        held_back=1,
        in_flight=1,
        cpu=(0.5,),
        lag_s=0.001 * len(values_us),
        endpoints={"open": EndpointSecond(len(values_us), 1, wrong or {}, text, text)},
    )


def test_second_survives_being_handed_over() -> None:
    second = second_of(100, 200, wrong={"status 500": 2})
    assert LoadSecond.from_dict(second.to_dict()) == second


@pytest.mark.parametrize(
    "change",
    [
        {"second": -1},
        {"users": "2"},
        {"at": "2026-01-02T03:04:05"},
        {"cpu": None},
        {"endpoints": []},
        {"endpoints": {"open": {}}},
    ],
)
def test_what_is_no_second_is_one_clear_error(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no second of a load"):
        LoadSecond.from_dict({**second_of(1).to_dict(), **change})


def test_merged_histograms_have_all_values_to_three_digits() -> None:
    whole = merged([histogram(147_000), "", histogram(104_000, 599_000_000)])
    assert whole.get_total_count() == 3
    assert whole.get_value_at_percentile(50) == pytest.approx(147_000, rel=1e-3)
    assert whole.get_max_value() == pytest.approx(599_000_000, rel=1e-3)


def test_what_is_no_histogram_is_one_clear_error() -> None:
    with pytest.raises(ValueError, match="no histogram"):
        merged(["nonsense"])


def test_workers_seconds_become_one() -> None:
    parts = [second_of(100, wrong={"status 500": 1}), second_of(200, 300, wrong={"status 500": 2})]
    whole = together(parts, second=3, at=parts[0].at)
    assert (whole.users, whole.workers, whole.due, whole.held_back) == (4, 2, 8, 2)
    assert (whole.cpu, whole.lag_s) == ((0.5, 0.5), 0.002)
    assert whole.endpoints["open"].wrong == {"status 500": 3}
    assert merged([whole.endpoints["open"].from_due]).get_total_count() == 3
