"""Applications that this project did not write, validated by an environment file alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
PYTHON = HERE / ".venv" / "bin" / "python"
SECRETS = {"ALICE_PASSWORD": "a-password-of-alice", "BOB_PASSWORD": "a-password-of-bob"}


@dataclass(frozen=True)
class Run:
    """What a run of the gate against an application left."""

    exit_code: int
    output: str
    reports: Path

    @property
    def unwell(self) -> dict[str, str]:
        """Why checks failed, by their names without their files."""
        lines = (self.reports / "evidence.jsonl").read_text().splitlines()
        return {
            record["id"].rpartition("::")[2].removeprefix("test_"): record["message"]
            for record in map(json.loads, lines)
            if record["type"] == "outcome" and record["outcome"] in {"failed", "error"}
        }

    @property
    def findings(self) -> dict[str, str]:
        """How bad findings of security are, by their rules."""
        lines = (self.reports / "evidence.jsonl").read_text().splitlines()
        return {
            record["rule"]: record["severity"]
            for record in map(json.loads, lines)
            if record["type"] == "finding"
        }

    @property
    def verdict(self) -> dict[str, Any]:
        """`verdict.json`."""
        verdict: dict[str, Any] = json.loads((self.reports / "verdict.json").read_text())
        return verdict


# True of each as it is served here: over plain http on the loopback, as its authors set it up.
_NO_HEADERS = {
    "framing-allowed": "medium",
    "content-type-sniffed": "low",
    "referrer-told": "low",
    "host-reflected": "low",
}
FINDINGS: dict[str, dict[str, str]] = {
    "datasette": _NO_HEADERS,
    "openfisca": _NO_HEADERS,
    "kinto": {
        "cors-any-origin": "medium",
        "host-reflected": "low",
        "private-operations-undeclared": "low",
    },
}


@pytest.fixture
def validate(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Serve an application, with a defect or without one, and validate it."""
    if not PYTHON.exists():
        pytest.fail(f"The applications aren't installed. Run: {ROOT}/scripts/setup.sh applications")
    with ExitStack() as stack:

        def validate(
            application: str, *, env: str = "", defect: str = "", marker: str = "not security"
        ) -> Run:
            folder = tmp_path / "application"
            folder.mkdir()
            process = stack.enter_context(
                subprocess.Popen(
                    [PYTHON, HERE / "serve.py", application, folder, *([defect] if defect else [])],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(process.kill)
            assert process.stdout
            assert process.stderr
            url = process.stdout.readline().strip()
            assert url, process.stderr.read()
            reports = tmp_path / "reports"
            done = subprocess.run(
                [
                    *(sys.executable, "-m", "pytest", f"--env={env or application}"),
                    *(f"--env-dir={HERE / 'environments'}", f"--report-dir={reports}"),
                    *("-m", marker),
                ],
                cwd=ROOT,
                env={**os.environ, **SECRETS, "APPLICATION_URL": url},
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            return Run(done.returncode, done.stdout + done.stderr, reports)

        yield validate


@pytest.mark.parametrize(
    ("application", "at_least"), [("datasette", 40), ("openfisca", 8), ("kinto", 35)]
)
def test_an_application_is_promoted(
    application: str, at_least: int, validate: Callable[..., Run]
) -> None:
    run = validate(application)

    assert run.unwell == {}, run.output
    assert run.exit_code == 0
    assert run.verdict["checks"]["passed"] >= at_least


@pytest.mark.parametrize(
    ("application", "defect", "check", "because"),
    [
        (
            "datasette",
            "losing-a-row",
            "pages_follow_one_another_without_gap_or_repeat[orders]",
            "are [1, 2, 3, 5, 6, 8, 9]",
        ),
        (
            "openfisca",
            "numbering-links",
            "documented_operations_answer_as_documented",
            "href: 0 is not of type 'string'",
        ),
        (
            "kinto",
            "ignoring-versions",
            "journey[life of an article]",
            "step 3, change a version that is gone: answered 200; expected 412",
        ),
    ],
)
def test_a_defect_in_an_application_is_found(
    application: str, defect: str, check: str, because: str, validate: Callable[..., Run]
) -> None:
    run = validate(application, defect=defect)

    assert run.exit_code == 1
    assert set(run.unwell) == {check}, run.output
    assert because in run.unwell[check]


def test_what_openfisca_describes_wrongly_is_found(validate: Callable[..., Run]) -> None:
    run = validate("openfisca", env="openfisca-whole")

    assert set(run.unwell) == {"documented_operations_answer_as_documented"}
    text = (run.reports / "junit.xml").read_text()
    for contradiction in (
        "GET /parameter/{parameterID}: $.id: 'benefits.basic_income' is not of type 'integer'",
        "GET /spec: was answered 200 with a body, and none is documented",
        "GET /variable/{variableID}: $.defaultValue: 0 is not of type 'string'",
    ):
        assert contradiction in text


@pytest.mark.parametrize(("application", "findings"), FINDINGS.items(), ids=FINDINGS)
def test_what_an_application_lacks_of_security_is_found_and_nothing_else(
    application: str, findings: dict[str, str], validate: Callable[..., Run]
) -> None:
    run = validate(application, marker="security")

    assert run.findings == findings, run.output
