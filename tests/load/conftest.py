"""A target in a process of its own, and loads on it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from deployment_gate.load.generator import LoadGenerator
from deployment_gate.load.plan import LoadPlan, Stage
from deployment_gate.load.seconds import LoadSecond
from deployment_gate.probes.apart import run_apart

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LOCUSTFILE = """
from locust import task
from deployment_gate.load.users import PacedUser

class Asks(PacedUser):
    @task
    def ask_it(self):
        self.ask("GET", {path!r}, name="it", holds=lambda answer: answer.json()["is"] == "right")
"""

MakeGenerator = Callable[..., LoadGenerator]
Run = Callable[[LoadGenerator], list[LoadSecond]]
CarryOut = Callable[..., list[LoadSecond]]


@dataclass(frozen=True)
class Target:
    """A server that remembers when it was asked."""

    url: str

    def seen(self, path: str) -> list[float]:
        """When it was asked for a path, in seconds of a clock of its own."""
        with urlopen(f"{self.url}/seen") as answer:  # noqa: S310 -- it is our own
            return list(json.load(answer)[path])


@pytest.fixture
def target() -> Iterator[Target]:
    """A server on the loopback."""
    with subprocess.Popen(
        [sys.executable, HERE / "target.py"], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout
        yield Target(f"http://127.0.0.1:{int(server.stdout.readline())}")
        server.terminate()


@pytest.fixture
def make_generator(target: Target, tmp_path: Path) -> MakeGenerator:
    """Make the generator of a load on one path of the target."""

    def make(
        path: str = "/right",
        *,
        stages: tuple[Stage, ...] = (Stage(3, 100, 10),),
        locustfile: str = LOCUSTFILE,
        timeout_s: float = 5,
        **settings: Any,
    ) -> LoadGenerator:
        file = tmp_path / "locustfile.py"
        file.write_text(locustfile.format(path=path))
        users = max(stage.users for stage in stages)
        plan = LoadPlan("test", target.url, stages, users, 0, timeout_s)
        return LoadGenerator(plan, file, **settings)

    return make


@pytest.fixture
def run() -> Run:
    """Carry a whole load out, and return its seconds."""

    def run(generator: LoadGenerator) -> list[LoadSecond]:
        async def collect() -> list[LoadSecond]:
            return [second async for second in generator.seconds()]

        return run_apart(collect())

    return run


@pytest.fixture
def carry_out(make_generator: MakeGenerator, run: Run) -> CarryOut:
    """The same on a path of the target."""
    return lambda *arguments, **settings: run(make_generator(*arguments, **settings))


@pytest.fixture
def sandbox_url(tmp_path: Path) -> Iterator[str]:
    """A sandbox of the test's own."""
    command = [sys.executable, "-m", "sandbox", "up", "--api-port", "0", "--web-port", "0"]
    with subprocess.Popen(
        [*command, "--state-dir", tmp_path / "state"], cwd=ROOT, stdout=subprocess.PIPE
    ) as sandbox:
        assert sandbox.stdout
        for _ in range(4):
            sandbox.stdout.readline()
        yield json.loads((tmp_path / "state" / "sandbox.json").read_text())["api_url"]
        sandbox.terminate()
