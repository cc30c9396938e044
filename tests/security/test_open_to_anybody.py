"""The checks of what lies in the open, carried out by the gate itself against real servers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.probes.target import Answer, Target, http
from tests.security.strangers import CATCH_ALL, files, page

ROOT = Path(__file__).parents[2]
KEY = "AK" + "IA" + "QWERTYUIOP234567"
WHAT = "web: {{base_url: {url}, pages: {{start: /}}}}\n"
BOTH = WHAT + "api: {{base_url: {url}, search: {{path: /search, finds: a}}}}\n"


@dataclass(frozen=True)
class Run:
    """What a run of the gate left."""

    exit_code: int
    output: str
    folder: Path
    requests: list[str]

    @property
    def found(self) -> dict[str, list[str]]:
        """The places of all findings, by rule."""
        lines = (self.folder / "evidence.jsonl").read_text().splitlines()
        records = [one for one in map(json.loads, lines) if one["type"] == "finding"]
        return {one["rule"]: one["places"] for one in records}


def validate(answer: Answer, folder: Path, *, environment: str = WHAT) -> Run:
    """Carry the checks out against a server."""
    with closing(Target(answer)) as target:
        (folder / "here.yaml").write_text(
            f"{environment.format(url=target.origin)}security: {{rate: 1000}}\n"
        )
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "--env=here", f"--env-dir={folder}"),
                *(f"--report-dir={folder / 'reports'}", "-p", "no:hypothesispytest"),
                *("validation/security/test_exposure.py", "validation/security/test_inside.py"),
            ],
            cwd=ROOT,
            env=dict(os.environ),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        asked = [f"{one.method} {one.path}" for one in target.requests]
    return Run(done.returncode, done.stdout + done.stderr, folder / "reports", asked)


def test_what_is_found_in_the_open_reaches_no_report(tmp_path: Path) -> None:
    """A finding says what lies where; whoever reads a report must not get in by it."""
    served = {
        "/": page('<!doctype html><script src="/app.js"></script>'),
        "/app.js": http(f"k = '{KEY}'", content_type="text/javascript"),
        "/.env": http("APP_KEY=base64:k\nDB_PASSWORD=hunter2-hunter2\n", content_type="text/plain"),
    }
    run = validate(files(served), tmp_path)

    assert run.exit_code == 1
    assert run.found == {
        "environment-file-exposed": ["web GET /.env"],
        "secret-in-page": ["web GET /app.js"],
        "security-txt": ["web GET /.well-known/security.txt"],
    }
    texts = [file.read_text(errors="replace") for file in run.folder.rglob("*") if file.is_file()]
    assert texts
    for secret in (KEY, "hunter2-hunter2", "base64:k"):
        assert not [text for text in [*texts, run.output] if secret in text]


@pytest.mark.parametrize("answer", CATCH_ALL[:2])
def test_an_application_that_answers_everything_with_a_success_only_warns(
    answer: Answer, tmp_path: Path
) -> None:
    run = validate(answer, tmp_path)

    assert run.exit_code == 0, run.output
    assert run.found == {
        "unknown-path-answered-200": ["web GET /RANDOM"],
        "security-txt": ["web GET /.well-known/security.txt"],
    }
    assert len(run.requests) < 300


def test_an_api_and_an_interface_at_one_address_are_asked_once(tmp_path: Path) -> None:
    run = validate(files({"/": page()}), tmp_path, environment=BOTH)

    assert run.requests.count("GET /.git/config") == 1
    assert any(one.startswith("GET /search?q=%27") for one in run.requests)
    assert set(run.found) == {"security-txt"}
