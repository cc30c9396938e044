"""Runs with load on a target of the tests: what is left where no load could be made."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugin.conftest import Project

CHECKS = Path(__file__).parents[2] / "validation/performance/test_load.py"
LOAD = """
allow: {load: true}
api: {base_url: "TARGET"}
required: {full: [health]}
load:
  most_rate: 100000
  most_duration: 1m
  scenarios: {everyday: {users: 2, arrival_rate: RATE, duration: 12s, warm_up: 1s}}
"""


@pytest.fixture
def loaded(project: Project) -> Project:
    project.environment(LOAD.replace("RATE", "20"))
    project.write("validation/performance/test_load.py", CHECKS.read_text(encoding="utf-8"))
    return project


def test_a_locustfile_that_fails_is_a_hold_with_its_last_output_and_is_begun_once(
    loaded: Project,
) -> None:
    begun = loaded.path / "begun"
    loaded.write(
        "validation/performance/locustfile.py",
        f"open({str(begun)!r}, 'a').write('x'); raise SystemExit('no scenario in here')",
    )

    done = loaded.run()

    assert done.exit_code == 1, done.output
    assert "The load generator" in done.reports.why
    assert "no scenario in here" in done.reports.why
    ends = {name: one for name, one in done.reports.outcomes.items() if "everyday" in name}
    assert set(ends.values()) == {"error"}
    assert len(ends) == 6
    assert begun.read_text() == "x"


def test_a_rate_that_the_generator_cannot_carry_is_a_hold_before_anything_is_asked(
    loaded: Project,
) -> None:
    loaded.environment(LOAD.replace("RATE", "100000"))
    loaded.write(
        "validation/performance/locustfile.py",
        (CHECKS.parent / "locustfile.py").read_text(encoding="utf-8"),
    )

    done = loaded.run()

    assert done.exit_code == 1, done.output
    assert "the load generator " in done.reports.why
    assert "add workers" in done.reports.why
    assert done.reports.observations("load") == []


def test_without_the_libraries_the_run_holds_and_says_what_to_install(loaded: Project) -> None:
    loaded.conftest("import sys\nsys.modules['hdrh'] = None\n")

    done = loaded.run()

    assert done.exit_code == 1, done.output
    assert 'pip install "pytest-deployment-gate[performance]"' in done.reports.why
