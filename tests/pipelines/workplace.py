"""A platform that pipelines deploy to, and where their steps are carried out."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"
PIPELINES = ROOT / "docs" / "pipelines"
RELEASE, BEFORE = "1.5.0", "1.4.2"
PATIENCE_S = 120.0
BASH = ("bash", "--noprofile", "--norc", "-euo", "pipefail")

_ENVIRONMENT = """
extends: sandbox-of-NAME
health_endpoints: {web_interface: null}
release_identity: {web_interface: null}
web: null
load: null
api: {facts: {environment: {equals: sandbox}}}
allow: {writes: false, load: false, burst: false}
launch: null
# How busy this machine is with other tests is not the release's doing.
rollback_triggers: {performance_degradation: null}
sampler: {interval: 100ms}
"""
# What the platform's own scripts do here: start the sandbox in the release that is deployed.
_DEPLOY = """
echo "deploy $1 $2" >> HALL/log
if [ -f "HALL/$1.idle" ]; then exit 0; fi
if [ -f "HALL/$1.pid" ]; then kill -KILL "-$(cat "HALL/$1.pid")"; fi
faults=$(cat "HALL/$1-$2.faults" 2>/dev/null || true)
state=$(mktemp -d HALL/state.XXXXXX)
: > "$state/out"
cd ROOT
# shellcheck disable=SC2086  # a word each
setsid PYTHON -m sandbox up --release "$2" --state-dir "$state" $faults \\
  --api-port "$(cat "HALL/$1.port")" --web-port 0 </dev/null >"$state/out" 2>&1 &
echo $! > "HALL/$1.pid"
until grep -q ^break "$state/out"; do kill -0 $!; sleep 0.02; done
"""
_SCRIPTS = {
    "code-quality.sh": 'echo "quality" >> HALL/log',
    "test-all.sh": 'echo "tests" >> HALL/log',
    "build.sh": 'echo "build $1" >> HALL/log',
    "deploy.sh": _DEPLOY,
    "deploy-rollback.sh": f'echo "rollback $1 $2" >> HALL/log\nscripts/deploy.sh "$2" {BEFORE}',
    "page.sh": 'echo "page $1" >> HALL/log',
}


@dataclass
class Workplace:
    """Where a pipeline runs, and the platform that it deploys: staging and production."""

    hall: Path
    folder: Path
    repository: Path
    kept: dict[str, Path] = field(default_factory=dict)
    options: str = ""
    ran: list[tuple[str, dict[str, str], Sequence[str]]] = field(default_factory=list)
    output: str = ""

    @property
    def log(self) -> list[str]:
        """What the platform's own scripts were called for, in order."""
        path = self.hall / "log"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def did(self) -> list[str]:
        """The same, without the texts of pages."""
        return [line.partition(":")[0] for line in self.log]

    def break_release(self, environment: str, fault: str, release: str = RELEASE) -> None:
        """Have the release that is deployed there be broken."""
        (self.hall / f"{environment}-{release}.faults").write_text(f"--fault {fault}")

    def pretend(self, exit_codes: Mapping[str, int], *, otherwise: str = "exit 0") -> None:
        """Have the gate not look, and end with an exit code by the folder of its reports.

        Args:
            exit_codes: Those of folders under `reports/`.
            otherwise: What is done for another folder.
        """
        cases = "\n".join(f"{name}) exit {code} ;;" for name, code in exit_codes.items())
        # The last of both words says it: the folder, or the environment where none is named.
        pytest = f"""
for word; do case $word in --env=* | --report-dir=*) of=${{word##*[=/]}} ;; esac; done
mkdir -p "reports/$of"
touch "reports/$of/junit.xml" "reports/$of/findings.sarif"
case $of in
{cases}
esac
{otherwise}"""
        (self.folder / ".venv").unlink()
        _write_script(self.folder / ".venv" / "bin" / "pytest", pytest)
        _write_script(self.folder / ".venv" / "bin" / "deployment-gate", "exit 0")

    def pretend_staging(self) -> None:
        """Have staging promote without a look, and the gate look at production alone."""
        real = Path(sys.executable).with_name("pytest")
        (self.hall / "staging.idle").touch()
        self.pretend({"staging": 0}, otherwise=f'exec {real} "$@"')

    def write_deploys(self, text: str) -> None:
        """Have the platform's script for deploying do no more than this."""
        said = f'echo "deploy $1 $2" >> {self.hall}/log\n{text}'
        _write_script(self.repository / "scripts" / "deploy.sh", said)
        self._commit()

    def serve(self, environment: str, release: str = BEFORE) -> None:
        """Have a release there already."""
        self._script(self.repository, "deploy.sh", environment, release)
        (self.hall / "log").unlink()

    def verdict(self, reports: str) -> dict[str, Any]:
        """The `verdict.json` of a run."""
        text = (self.folder / "reports" / reports / "verdict.json").read_text()
        return dict(json.loads(text))

    def begin_job(self, kept: Sequence[str] = ()) -> None:
        """Have a machine that knows nothing of the jobs before but what they kept."""
        for name in ("platform", "reports"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        for name in kept:
            self.bring(name)

    def check_out(self) -> None:
        """Have the platform's repository."""
        shutil.copytree(self.repository, self.folder / "platform")

    def keep(self, name: str, path: Path) -> None:
        """Keep a folder of a job for others."""
        if path.exists():
            self.kept[name] = self.hall / f"kept-{name}"
            shutil.copytree(path, self.kept[name] / path.relative_to(self.folder))

    def bring(self, name: str) -> None:
        """Have what an earlier job kept."""
        shutil.copytree(self.kept[name], self.folder, dirs_exist_ok=True)

    def run(
        self,
        text: str,
        variables: Mapping[str, str],
        *,
        by: Sequence[str] = BASH,
        folder: str = ".",
    ) -> int:
        """Run a step; its exit code. What it wrote is in `output`."""
        self.ran.append((text, dict(variables), by))
        usual = {
            "PATH": f"{self.hall / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.hall),
            "COLUMNS": "200",
            # The project's own tests need it, no run of the gate does.
            "PYTEST_ADDOPTS": f"-p no:hypothesispytest {self.options}",
        }
        done = subprocess.run(
            [*by, "-c", text],
            cwd=self.folder / folder,
            env={**usual, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        self.output = done.stdout + done.stderr
        sys.stdout.write(f"$ {text}\n{self.output}\nexit code {done.returncode}\n")
        return done.returncode

    def run_again(self, words: str, **variables: str) -> int:
        """Run the step that has these words once more, with other variables; its exit code."""
        text, before, by = next(one for one in self.ran if words in one[0])
        shutil.rmtree(self.folder / "platform", ignore_errors=True)
        return self.run(text, {**before, **variables}, by=by)

    def _script(self, platform: Path, name: str, *arguments: str) -> None:
        subprocess.run(
            [platform / "scripts" / name, *arguments], check=True, timeout=PATIENCE_S, cwd=platform
        )

    def make(self) -> None:
        """Lay out the suite, the platform's repository, and what sets up a machine."""
        for name in ("pyproject.toml", "conftest.py"):
            shutil.copy(ROOT / name, self.folder / name)
        shutil.copytree(ROOT / "validation", self.folder / "validation")
        (self.folder / ".venv").symlink_to(sys.prefix)
        (self.folder / "gate").symlink_to(".")
        _write_script(self.folder / "scripts" / "setup.sh", "exit 0")
        _write_script(self.hall / "bin" / "apt-get", "exit 0")
        for name, text in _SCRIPTS.items():
            said = text.replace("HALL", str(self.hall)).replace("ROOT", str(ROOT))
            _write_script(
                self.repository / "scripts" / name, said.replace("PYTHON", sys.executable)
            )
        self._commit()
        for environment in ("staging", "production"):
            self._describe(environment, str(free_port()))

    def _commit(self) -> None:
        """Have the platform's repository say what its folder holds, as the release."""
        git = ("git", "-c", "user.name=tests", "-c", "user.email=tests@example.com")
        for command in ("init -q", "add .", "commit -qm all", f"tag -f {RELEASE}"):
            done = [*git, *command.split()]
            subprocess.run(done, cwd=self.repository, check=True, capture_output=True)

    def _describe(self, environment: str, port: str) -> None:
        """Write the environment's file, and have it keep its port whatever is deployed."""
        (self.hall / f"{environment}.port").write_text(port)
        folder = self.folder / "environments"
        folder.mkdir(exist_ok=True)
        shutil.copy(ROOT / "environments" / "base.yaml", folder)
        sandbox = (ROOT / "environments" / "sandbox.yaml").read_text()
        (folder / f"sandbox-of-{environment}.yaml").write_text(
            sandbox.replace("${SANDBOX_API_PORT:-18000}", port)
        )
        (folder / f"{environment}.yaml").write_text(_ENVIRONMENT.replace("NAME", environment))

    def close(self) -> None:
        """End what was deployed."""
        for path in self.hall.glob("*.pid"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int(path.read_text()), signal.SIGKILL)


def free_port() -> int:
    """A port of the loopback that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _write_script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nset -eu\n{text}\n")
    path.chmod(0o755)


@contextmanager
def workplace(folder: Path) -> Iterator[Workplace]:
    """Have a place for one pipeline, with the release before in staging and production."""
    place = Workplace(folder / "hall", folder / "suite", folder / "repository")
    for path in (place.hall, place.folder, place.repository):
        path.mkdir()
    try:
        place.make()
        yield place
    finally:
        place.close()
