"""Checks that make load have the platform for themselves."""

from __future__ import annotations

from tests.plugin.conftest import Project

MAKES_LOAD = """
    import time

    @pytest.mark.load
    @pytest.mark.parametrize("number", range(2))
    def test_makes_load(number):
        with open("log", "a") as log:
            log.write("begin ")
            log.flush()
            time.sleep(0.5)
            log.write("end\\n")
"""
LOOKS = """
    import time

    @pytest.mark.parametrize("number", range(30))
    def test_looks(number):
        time.sleep(0.02)
        with open("log", "a") as log:
            log.write("look\\n")
"""


def test_no_check_runs_beside_one_that_makes_load(project: Project) -> None:
    project.environment("allow: {load: true}\n")
    project.check(MAKES_LOAD, name="load")
    project.check(LOOKS, name="looks")

    done = project.run("-n", "4")

    assert done.exit_code == 0, done.output
    log = (project.path / "log").read_text().splitlines()
    assert sorted(set(log)) == ["begin end", "look"]
    assert len(log) == 32


def test_waiting_for_the_load_of_another_process_counts_for_no_time_limit(
    project: Project,
) -> None:
    project.environment("allow: {load: true}\n")
    project.check(MAKES_LOAD.replace("0.5", "3"), name="load")
    limited = LOOKS.replace("    @pytest", "    pytestmark = pytest.mark.timeout(2)\n\n    @pytest")
    project.check(limited, name="looks")

    done = project.run("-n", "2")

    assert set(done.reports.outcomes.values()) == {"passed"}, done.output
