"""Runs commands and tells what they cost: time, processor time and memory, side by side."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent
"""The project's folder, where the validation is run from."""

_SHOWN_CHARACTERS = 2000
_LIMIT_S = 300


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run of a command cost.

    Attributes:
        seconds: From its start to its end.
        processor_s: Seconds of processor time, of it and of what it waited for.
        peak_mib: The most memory that one of its processes held at a time, in MiB.
    """

    seconds: float
    processor_s: float
    peak_mib: float


@dataclass(frozen=True, slots=True)
class Command:
    """A command to be measured.

    Attributes:
        words: The program and its arguments.
        folder: Where it runs.
        variables: Added to its environment.
    """

    words: Sequence[str | Path]
    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)


class BenchmarkError(Exception):
    """A command that was to be measured failed, so that its cost means nothing."""


def pytest_words(*arguments: str | Path) -> list[str | Path]:
    """Start pytest by the interpreter that runs the benchmark."""
    return [sys.executable, "-m", "pytest", *arguments]


def process_environment(scratch: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """Make an environment in which Python keeps its bytecode, as it does unless told otherwise.

    Compiling the libraries anew at each start would double what every run costs, and hide what
    they differ in. The bytecode goes to `scratch`, so that nothing is left behind.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONDONTWRITEBYTECODE", "PYTEST_ADDOPTS"}
    }
    return {**kept, "PYTHONPYCACHEPREFIX": str(scratch / "bytecode"), **variables}


def measure(command: Command, scratch: Path) -> Cost:
    """Run a command to its end.

    Raises:
        BenchmarkError: It didn't end well within five minutes.
    """
    with tempfile.TemporaryFile(dir=scratch) as output:
        started = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603  # the benchmarks' own commands
            command.words,
            cwd=command.folder,
            env=process_environment(scratch, command.variables),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        limit = threading.Timer(_LIMIT_S, os.kill, (process.pid, signal.SIGKILL))
        limit.start()
        try:
            # Not Popen.wait: only wait4 tells what this one process cost.
            _, status, usage = os.wait4(process.pid, 0)
        finally:
            limit.cancel()
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            told = output.read().decode(errors="replace")[-_SHOWN_CHARACTERS:]
            words = " ".join(map(str, command.words))
            raise BenchmarkError(f"exit code {process.returncode} from {words}\n{told}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def in_turn(tasks: Mapping[str, Callable[[], T]], *, repeats: int) -> dict[str, list[T]]:
    """Do each task `repeats` times, in turn; what each one answered.

    In turn, so that what else the machine does weighs on all of them alike; and once before,
    uncounted, so that each finds its bytecode and the disk's cache warm.
    """
    answers: dict[str, list[T]] = {name: [] for name in tasks}
    for turn in range(repeats + 1):
        for name, task in tasks.items():
            answer = task()
            if turn:
                answers[name].append(answer)
    return answers


def median(costs: Sequence[Cost]) -> Cost:
    """Answer the median of each figure."""
    return Cost(
        statistics.median(cost.seconds for cost in costs),
        statistics.median(cost.processor_s for cost in costs),
        statistics.median(cost.peak_mib for cost in costs),
    )


@contextlib.contextmanager
def service(command: Command, scratch: Path, *, ready: str) -> Iterator[list[str]]:
    """Have a server run meanwhile; its output up to the line that begins with `ready`.

    Raises:
        BenchmarkError: It ended before it was ready.
    """
    process = subprocess.Popen(  # noqa: S603  # the benchmarks' own commands
        command.words,
        cwd=command.folder,
        env=process_environment(scratch, command.variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        lines: list[str] = []
        for line in process.stdout or ():
            lines.append(line)
            if line.startswith(ready):
                break
        else:
            raise BenchmarkError(f"{command.words} ended before it was ready: {''.join(lines)}")
        yield lines
    finally:
        process.terminate()
        process.communicate()


@contextlib.contextmanager
def running_sandbox(scratch: Path) -> Iterator[dict[str, str]]:
    """Have a sandbox run meanwhile; the variables that lead its environment file to it.

    Raises:
        BenchmarkError: It ended before it was ready.
    """
    command = Command(
        [
            *(sys.executable, "-m", "sandbox", "up", "--api-port", "0", "--web-port", "0"),
            *("--state-dir", scratch / "sandbox"),
        ],
        ROOT,
    )
    with service(command, scratch, ready="web ") as told:
        api_port, web_port = (line.split()[1].rpartition(":")[2] for line in told[-2:])
        yield {"SANDBOX_API_PORT": api_port, "SANDBOX_WEB_PORT": web_port}


class Comparison(Protocol):
    """What is measured against a sandbox."""

    def __call__(self, scratch: Path, ports: dict[str, str], *, repeats: int) -> bool:
        """Measure, print, and say whether the requirements are met."""


def compare_with_sandbox(compare: Comparison, *, about: str, repeats: int, missed: str) -> int:
    """Read the command line and compare while a sandbox runs; the exit code.

    Args:
        compare: What is to be measured.
        about: What `--help` says of it.
        repeats: How often each run counts, where the command line doesn't say.
        missed: When `--check` makes the exit code 1, as `--help` says it.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument(
        "--repeats", type=int, default=repeats, metavar="N", help="counted runs of each"
    )
    parser.add_argument("--check", action="store_true", help=f"exit code 1 when {missed}")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        scratch = Path(folder)
        with running_sandbox(scratch) as ports:
            is_met = compare(scratch, ports, repeats=arguments.repeats)
    return 0 if is_met or not arguments.check else 1


def planned_checks(reports: Path) -> int:
    """Read how many checks a run planned."""
    verdict = json.loads((reports / "verdict.json").read_text(encoding="utf-8"))
    return int(verdict["checks"]["planned"])


def write_empty_tests(folder: Path, number: int) -> None:
    """Make a project of so many tests that do nothing, in a new folder."""
    folder.mkdir()
    (folder / "pytest.ini").touch()
    (folder / "test_empty.py").write_text(
        "import pytest\n\n\n"
        f'@pytest.mark.parametrize("number", range({number}))\n'
        "def test_nothing(number):\n    pass\n",
        encoding="utf-8",
    )


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under a header: the first column to the left, the figures to the right."""
    cells = [list(header), *map(list, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    for number, row in enumerate(cells):
        figures = (f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        print(f"{row[0]:<{widths[0]}}  {'  '.join(figures)}".rstrip())
        if number == 0:
            print("-" * (sum(widths) + 2 * len(widths) - 2))


def print_requirements(requirements: Mapping[str, bool]) -> bool:
    """Print which requirements are met; whether all of them are."""
    print()
    for text, is_met in requirements.items():
        print(f"{'met   ' if is_met else 'MISSED'}  {text}")
    return all(requirements.values())
