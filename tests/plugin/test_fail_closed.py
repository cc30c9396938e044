"""Whatever goes wrong with the run leaves a hold and a red file."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Project, Target


@dataclass(frozen=True)
class Mishap:
    """Something that goes wrong, and what is left behind."""

    name: str
    check: str
    why: str
    exit_code: int = 1
    arguments: tuple[str, ...] = ()


MISHAPS = (
    Mishap(
        "os._exit(0)",
        "import os\ndef test_it():\n    os._exit(0)\n",
        "the run is incomplete: it never reached its end",
        exit_code=0,  # nothing of ours is left that could say otherwise
    ),
    Mishap(
        "kill -9",
        "import os, signal\ndef test_it():\n    os.kill(os.getpid(), signal.SIGKILL)\n",
        "the run is incomplete: it never reached its end",
        exit_code=-signal.SIGKILL,
    ),
    Mishap(
        "pytest.exit(returncode=0)",
        'def test_it():\n    pytest.exit("enough", returncode=0)\n',
        "checks did not report, the first of them",
    ),
    Mishap(
        "an error of collection",
        "import no_such_module\n",
        "validation/health/test_more.py could not be collected",
        exit_code=2,
    ),
    Mishap(
        "a file that skips itself",
        'pytest.skip("not today", allow_module_level=True)\n',
        "test_more.py skipped itself, and checks that are to run must run: not today",
    ),
    Mishap(
        "a missing module that skips the file",
        'pytest.importorskip("no_such_module")\ndef test_it():\n    pass\n',
        "could not import 'no_such_module'",
    ),
    Mishap(
        "stopping at the first failure",
        "def test_it():\n    raise RuntimeError\ndef test_other():\n    pass\n",
        "1 of 4 checks did not report, the first of them validation/health/test_more.py::test_",
        arguments=("-x",),
    ),
    Mishap(
        "a skip",
        '@pytest.mark.skip(reason="not today")\ndef test_it():\n    pass\n',
        "test_it was skipped, and a check that is to run must run: not today",
    ),
    Mishap(
        "an expected failure",
        '@pytest.mark.xfail(reason="known")\ndef test_it():\n    assert False\n',
        "test_it failed as it was expected to, and nobody waived it: known",
    ),
    Mishap(
        "an unexpected pass",
        "@pytest.mark.xfail\ndef test_it():\n    pass\n",
        "test_it passed against its own expectation",
    ),
    Mishap(
        "only the fixtures",
        "",
        "test_endpoint_is_healthy[api_service] could not be carried out: it was only set up",
        arguments=("--setup-plan",),
    ),
    Mishap(
        "an error of teardown",
        "@pytest.fixture\ndef broken():\n    yield\n    raise OSError('no way back')\n"
        "def test_it(broken):\n    pass\n",
        "test_it could not be carried out: OSError: no way back",
    ),
    Mishap(
        "a limit of its own",
        "import time\n@pytest.mark.timeout(timeout=0.3)\ndef test_it():\n    time.sleep(20)\n",
        "Timeout (>0.3s) from pytest-timeout",
    ),
    Mishap("everything deselected", "", "no check was selected", 5, ("-k", "nothing_like_it")),
    Mishap("a path that isn't there", "", "pytest's exit code 4", 4, ("validation/nowhere",)),
)


@pytest.mark.parametrize("mishap", MISHAPS, ids=lambda mishap: mishap.name)
def test_a_mishap_leaves_a_hold_and_a_red_file(project: Project, mishap: Mishap) -> None:
    project.check(mishap.check)
    done = project.run(*mishap.arguments)
    assert done.exit_code == mishap.exit_code
    assert done.reports.verdict["verdict"] == "hold"
    assert mishap.why in done.reports.why
    assert done.reports.is_red


@pytest.mark.parametrize("hook", ["pytest_sessionfinish", "pytest_terminal_summary"])
def test_a_plugin_that_breaks_at_the_end_is_a_hold_that_names_it(
    project: Project, hook: str
) -> None:
    project.conftest(f'def {hook}():\n    raise RuntimeError("this plugin is broken")\n')
    done = project.run()
    assert done.exit_code == 1
    assert done.reports.verdict["verdict"] == "hold"
    assert "RuntimeError: this plugin is broken" in done.reports.why
    assert done.reports.is_red
    assert "HOLD: here" in done.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_run_that_is_interrupted_holds_and_says_so(
    project: Project, number: signal.Signals
) -> None:
    project.check(
        """
        import pathlib, time

        def test_it():
            pathlib.Path("running").touch()
            time.sleep(30)
        """
    )
    with project.running() as process:
        project.wait_for("running")
        process.send_signal(number)
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 2
    reports = project.reports()
    assert reports.verdict["verdict"] == "hold"
    assert "the run was interrupted" in reports.why
    assert reports.is_red
    assert reports.outcomes["test_endpoint_is_healthy[database]"] == "passed"
    assert "HOLD: here" in output


def test_a_failure_of_the_gate_itself_is_a_hold(project: Project) -> None:
    project.conftest(
        """
        import pytest

        @pytest.hookimpl(trylast=True)
        def pytest_collection_finish():
            raise MemoryError("no room")
        """
    )
    done = project.run()
    assert done.exit_code == 3
    assert done.reports.verdict["verdict"] == "hold"
    assert "pytest itself failed with an internal error" in done.reports.why
    assert done.reports.is_red


def test_the_runners_own_trouble_never_rolls_back(project: Project, target: Target) -> None:
    project.write(
        "environments/lost.yaml",
        """
        health_endpoints:
          nowhere: {url: "http://no-such-host.invalid/health", timeout: 2s}
        rollback_triggers:
          health_check_failure:
            condition: Health check fails for 1 consecutive attempt
            action: rollback
            timeout: 5s
        """,
    )
    done = project.run(env="lost")
    assert done.exit_code == 1
    assert done.reports.verdict["verdict"] == "hold"
    assert "the name doesn't resolve on this machine" in done.reports.why
    assert not target.requests
