"""The platform bears the load of its runbook (4.3, 5.1), scenario by scenario."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from deployment_gate.typing import SeenLoad, TargetResult

each_load = pytest.mark.needs("load.scenarios.{load_seen}")
each_rising_load = pytest.mark.needs("load.scenarios.{rising_load_seen}")


@each_load
def test_load_goes_on_to_its_end(load_seen: SeenLoad) -> None:
    assert not load_seen.stopped, load_seen.stopped


@each_load
def test_nothing_is_throttled(load_seen: SeenLoad) -> None:
    assert not load_seen.throttling, load_seen.throttling


@each_load
def test_answers_come_in_time(
    load_seen: SeenLoad,
    judge_load: Callable[[Sequence[TargetResult]], None],
    only_warn: Callable[[str], None],
) -> None:
    for change in load_seen.changes:
        only_warn(change)
    judge_load(load_seen.latency)


@each_load
def test_answers_are_right(
    load_seen: SeenLoad, judge_load: Callable[[Sequence[TargetResult]], None]
) -> None:
    judge_load(load_seen.errors)


@each_load
def test_as_much_is_served_as_the_runbook_asks_for(
    load_seen: SeenLoad, judge_load: Callable[[Sequence[TargetResult]], None]
) -> None:
    judge_load(load_seen.served)


@each_load
def test_machines_have_room(
    load_seen: SeenLoad, judge_load: Callable[[Sequence[TargetResult]], None]
) -> None:
    judge_load(load_seen.usage)


@each_rising_load
def test_where_it_breaks_is_told(
    rising_load_seen: SeenLoad, only_warn: Callable[[str], None]
) -> None:
    breaking = rising_load_seen.breaking
    assert breaking.rate, breaking.sentence
    if breaking.is_broken:
        only_warn(breaking.sentence)
