"""What an environment says of load, as the parts of a load need it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deployment_gate.environment import Environment, load_environment
from deployment_gate.load.arrangement import Machines, plan_of, targets_of
from deployment_gate.load.plan import Stage
from deployment_gate.load.resources import Resource

ENVIRONMENT = """
extends: base
load:
  request_timeout: 3s
  most_rate: 2000
  most_duration: 1h
  resources:
    processes: {own: {pid_file: PID_FILE}}
  scenarios:
    stress: {users: 10, spawn_rate: 5, rising: {start: 100, step: 100, every: 5s, up_to: 300}}
"""


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.setenv("OPP_TEST_PASSWORD", "a-password")
    base = Path(__file__).parents[2] / "environments/base.yaml"
    (tmp_path / "base.yaml").write_text(base.read_text())
    (tmp_path / "pid").write_text(str(os.getpid()))
    text = ENVIRONMENT.replace("PID_FILE", str(tmp_path / "pid"))
    (tmp_path / "here.yaml").write_text(text)
    return load_environment("here", tmp_path, variables=os.environ)


def test_a_scenario_becomes_the_plan_of_its_levels(environment: Environment) -> None:
    plan = plan_of(environment, "stress")

    assert plan.host == "http://api-service:8000"
    assert plan.stages == (Stage(5, 100, 10), Stage(5, 200, 20), Stage(5, 300, 30))
    assert (plan.spawn_rate, plan.warm_up_s, plan.timeout_s) == (5, 2, 3)


def test_targets_are_those_of_the_runbook_that_load_can_tell_of(environment: Environment) -> None:
    targets = targets_of(environment)

    assert [one.text for one in targets.latency] == ["< 200ms for 95% of requests"]
    assert [one.text for one in targets.errors] == ["< 1% target"]
    assert [one.text for one in targets.throughput] == ["> 1000 requests/second"]
    assert [one.text for one in targets.users] == ["> 100 concurrent users"]
    assert targets.usage is not None
    assert set(targets.usage) == set(Resource)


def test_processes_are_looked_at_by_the_file_that_holds_their_number(
    environment: Environment,
) -> None:
    assert environment.load is not None
    looked = Machines(environment.load).look()

    assert {one.resource for one in looked.usages} >= {Resource.MEMORY, Resource.DISK}


def test_a_file_that_holds_no_number_is_told_as_not_covered(
    environment: Environment, tmp_path: Path
) -> None:
    assert environment.load is not None
    (tmp_path / "pid").write_text("nothing")

    looked = Machines(environment.load).look()

    assert looked.usages == ()
    assert {one.resource for one in looked.not_covered} == set(Resource)
    assert "tells no process" in looked.not_covered[0].why
