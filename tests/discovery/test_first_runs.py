"""What `deployment-gate init` writes is validated at once, and the verdict has true reasons."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.discovery.conftest import page, told
from tests.probes.target import Target
from tests.sandbox.conftest import PASSWORDS, Sandbox, started

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).with_name("deployment-gate")
APPLICATIONS = ROOT / "tests" / "applications"
PYTHON = APPLICATIONS / ".venv" / "bin" / "python"


@dataclass(frozen=True)
class FirstRun:
    """A file that was written, and the smoke run by it."""

    written: str
    said: str
    verdict: str
    passed: int
    reasons: list[str]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox of these tests' own."""
    with started(tmp_path_factory.mktemp("sandbox") / "state") as one:
        yield one


@pytest.fixture
def first_run(tmp_path: Path) -> Callable[..., FirstRun]:
    """Write the file of a platform by its address, and validate by it."""

    def first_run(*arguments: str, **variables: str) -> FirstRun:
        environment = {**os.environ, **variables}
        options = ("--name", "shop", "--env-dir", str(tmp_path))
        init = subprocess.run(
            [PROGRAM, "init", *arguments, *options],
            env=environment,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        assert init.returncode == 0, init.stderr
        with (tmp_path / "shop.yaml").open("a") as file:
            # What is suspected is looked into at once.
            file.write("\nsampler: {interval: 300ms}\n")
        reports = tmp_path / "reports"
        command = f"--env=shop --env-dir={tmp_path} -m smoke --report-dir={reports}"
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *command.split()],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert (reports / "verdict.json").exists(), done.stdout + done.stderr
        verdict = json.loads((reports / "verdict.json").read_text())
        return FirstRun(
            (tmp_path / "shop.yaml").read_text(),
            init.stdout,
            verdict["verdict"],
            verdict["checks"]["passed"],
            [reason["text"] for reason in verdict["reasons"]],
        )

    return first_run


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Serve an application that this project did not write; its address."""
    if not PYTHON.exists():
        pytest.fail(f"The applications aren't installed. Run: {ROOT}/scripts/setup.sh applications")
    with ExitStack() as stack:

        def serve(name: str) -> str:
            folder = tmp_path / "application"
            folder.mkdir()
            process = stack.enter_context(
                subprocess.Popen(
                    [PYTHON, APPLICATIONS / "serve.py", name, folder],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                )
            )
            stack.callback(process.kill)
            assert process.stdout
            address = process.stdout.readline().strip()
            assert address
            return address

        yield serve


def test_the_sandbox_is_promoted_by_the_address_of_its_pages(
    sandbox: Sandbox, first_run: Callable[..., FirstRun]
) -> None:
    run = first_run(sandbox.web)

    assert run.verdict == "promote", run.reasons
    for found in (f"{sandbox.api}/health/database", "POST /api/v1/auth/login", "form at /login"):
        assert found in run.said
    assert "pytest --env=shop" in run.said
    assert "set SHOP_USERNAME and SHOP_PASSWORD" in run.said


def test_the_sandbox_is_promoted_by_the_address_of_its_api(
    sandbox: Sandbox, first_run: Callable[..., FirstRun]
) -> None:
    run = first_run(sandbox.api)

    assert run.verdict == "promote", run.reasons
    assert run.passed >= 5


def test_with_the_password_set_whatever_needs_it_is_validated_too(
    sandbox: Sandbox, first_run: Callable[..., FirstRun]
) -> None:
    signed_in = {"SHOP_USERNAME": "test", "SHOP_PASSWORD": PASSWORDS["test"]}

    run = first_run(sandbox.api, "--web", sandbox.web, **signed_in)

    assert run.verdict == "promote", run.reasons
    assert run.passed >= 25
    assert "#:" not in run.written
    assert PASSWORDS["test"] not in run.written


def test_a_sandbox_that_is_not_well_is_not_promoted(
    sandbox: Sandbox, first_run: Callable[..., FirstRun]
) -> None:
    sandbox.fault("database-down")
    try:
        run = first_run(sandbox.api)
    finally:
        sandbox.fault("clear")

    assert "it isn't well now" in run.written
    assert run.verdict == "rollback"


def test_kinto_is_promoted(
    application: Callable[[str], str], first_run: Callable[..., FirstRun]
) -> None:
    run = first_run(application("kinto"))

    assert run.verdict == "promote", run.reasons
    assert "/v1/__heartbeat__" in run.written
    assert "Basic" in run.written


def test_kinto_is_promoted_signed_in(
    application: Callable[[str], str], first_run: Callable[..., FirstRun]
) -> None:
    signed_in = {"SHOP_USERNAME": "alice", "SHOP_PASSWORD": "a-password-of-alice"}

    run = first_run(application("kinto"), **signed_in)

    assert run.verdict == "promote", run.reasons
    assert run.passed >= 8


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        # Its pages name no language, and may be shown in frames of others: both are so.
        ("datasette", {"does not have a lang attribute", "[framing-allowed]"}),
        ("openfisca", {"[framing-allowed]"}),
    ],
)
def test_other_applications_are_held_for_true_reasons(
    name: str,
    reasons: set[str],
    application: Callable[[str], str],
    first_run: Callable[..., FirstRun],
) -> None:
    run = first_run(application(name))

    assert run.verdict == "hold"
    unexplained = [text for text in run.reasons if not any(one in text for one in reasons)]
    assert unexplained == []
    assert run.passed >= 3


def test_a_small_site_is_promoted(first_run: Callable[..., FirstRun]) -> None:
    icon = "<link rel=icon href=data:,>"
    home = page(
        f"{icon}<main><h1>Welcome</h1><p>Nothing else is here.</p></main>",
        content_security_policy="frame-ancestors 'none'",
        x_content_type_options="nosniff",
        referrer_policy="no-referrer",
    )
    missing = told({}, 404, x_content_type_options="nosniff")
    target = Target(lambda request: home if request.path == "/" else missing)
    try:
        run = first_run(target.origin)
    finally:
        target.close()

    assert run.verdict == "promote", run.reasons
