"""Locust as processes of its own: how they end, and what is said when they end early."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from socket import socket
from subprocess import run as run_process

import psutil
import pytest

from deployment_gate.environment.load_sections import HostPort
from deployment_gate.load.generator import GeneratorError, LoadGenerator
from deployment_gate.load.plan import Stage
from deployment_gate.load.seconds import LoadSecond
from deployment_gate.probes.apart import run_apart

MakeGenerator = Callable[..., LoadGenerator]
Run = Callable[[LoadGenerator], list[LoadSecond]]

DIES = 'print("about to die")\nraise SystemExit(3)\n'
HANGS = 'import time\nprint("about to hang")\ntime.sleep(60)\n'
BABBLES = """
import os
print("about to babble")
os.write(int(os.environ["DEPLOYMENT_GATE_LOAD_OUTPUT"]), b"what?\\n")
import time
time.sleep(60)
"""
LONG = (Stage(60, 50, 4),)


@pytest.mark.parametrize(
    ("locustfile", "says"),
    [
        (DIES, "died after 0 of 3 s .exit code 3.*about to die"),
        (HANGS, "hangs: it has said nothing for 3 s.*about to hang"),
        (BABBLES, "can't be understood.*'what\\?'.*about to babble"),
        ("import no_such_module_at_all", "died after 0 of 3 s.*no_such_module_at_all"),
    ],
    ids=["dies", "hangs", "babbles", "can't be imported"],
)
def test_locust_that_fails_is_an_error_with_its_last_output(
    make_generator: MakeGenerator, run: Run, locustfile: str, says: str
) -> None:
    generator = make_generator(locustfile=locustfile, starts_s=3)
    with pytest.raises(GeneratorError, match=f"(?s){says}"):
        run(generator)
    assert generator.pids == ()


def test_worker_of_another_machine_is_waited_for_and_its_death_leaves_the_load_going(
    make_generator: MakeGenerator, tmp_path: Path
) -> None:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # As on another machine: it knows where its master is, and no plan.
    arguments = ["-f", tmp_path / "locustfile.py", "--worker", "--master-port", str(port)]

    async def kill_the_other() -> list[LoadSecond]:
        generator = make_generator(
            stages=(Stage(8, 50, 4),), expect_workers=1, master_bind=HostPort("127.0.0.1", port)
        )
        other = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "locust", *arguments, stderr=asyncio.subprocess.DEVNULL
        )
        seconds = []
        async for second in generator.seconds():
            seconds.append(second)
            if second.second == 1:
                other.kill()
        await other.wait()
        return seconds

    seconds = run_apart(kill_the_other())
    assert [second.workers for second in seconds[:2]] == [2, 2]
    assert seconds[1].sent == pytest.approx(50, abs=8)
    assert len(seconds[1].cpu) == 2
    assert seconds[4].workers == seconds[7].workers == 1
    # The one that is left takes over the other's users.
    assert (seconds[7].users, seconds[7].sent) == (4, pytest.approx(50, abs=8))


@pytest.mark.parametrize("workers", [1, 2])
def test_end_leaves_no_process_and_none_has_credentials_in_its_arguments(
    make_generator: MakeGenerator, workers: int
) -> None:
    async def leave_early() -> dict[int, str]:
        generator = make_generator(
            stages=LONG, workers=workers, username="reader", password="hunter-two"
        )
        async with aclosing(generator.seconds()) as seconds:
            async for _ in seconds:
                seen = {pid: " ".join(psutil.Process(pid).cmdline()) for pid in generator.pids}
                break
        return seen

    pids = run_apart(leave_early())
    assert len(pids) == (1 if workers == 1 else 3)
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []
    assert all("locust" in arguments for arguments in pids.values())
    assert "hunter-two" not in " ".join(pids.values())


def test_generator_imports_neither_locust_nor_gevent() -> None:
    code = "import sys, deployment_gate.load.generator as _; print(*sys.modules)"
    done = run_process([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"locust", "gevent"} & set(done.stdout.split()) == set()
