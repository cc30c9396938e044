"""What docs/init.md shows can be done as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from deployment_gate.discovery.asking import MOST_REQUESTS, MOST_TIME_S, PER_SECOND
from tests.discovery.conftest import answering, described, page, told
from tests.probes.target import Target

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "init.md").read_text(encoding="utf-8")
FIELDS = {"properties": {"username": {"type": "string"}, "password": {"type": "string"}}}
LOGIN = {"content": {"application/json": {"schema": FIELDS}}}


def test_its_commands_work_one_after_another(serve: Callable[..., Target], tmp_path: Path) -> None:
    target = serve({
        "/": page("<h1>Welcome</h1>"),
        "/health": told({"status": "ok"}),
        "/orders": told({}, 401),
        "/openapi.json": described({
            "/orders": answering({"type": "array"}), "/login": {"post": {"requestBody": LOGIN}}
        }),
    })  # fmt: skip
    commands = "\n".join(re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL))
    commands = commands.replace(
        "init https://shop.example", f"init {target.origin} --name shop"
    ).replace("pytest --env", f"echo {sys.executable} -m pytest --env")

    done = subprocess.run(
        ["bash", "-euc", f"{commands}\ndeployment-gate explain shop"],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "/orders" in done.stdout.rpartition("deployment-gate completion")[2]
    written = (tmp_path / "environments" / "shop.yaml").read_text()
    assert not re.search(r"^#:", written, re.MULTILINE)


def test_its_numbers_are_the_bounds() -> None:
    assert f"{MOST_REQUESTS} requests, {PER_SECOND:g} a second, {MOST_TIME_S:g} seconds" in TEXT
