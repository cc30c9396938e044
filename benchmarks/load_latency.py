"""What latency k6, stock Locust and this suite tell of one server whose latency is known.

Example: uv run --group bench python benchmarks/load_latency.py --seconds 20 --check
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from health_sweep import find_k6
from known_server import STALL_S, lognormal_quantile, stall_quantile
from load_contestants import SHARES, Task, Told, run_k6, run_stock_locust
from load_own import run_own
from measuring import ROOT, BenchmarkError, Command, print_requirements, print_table, service

FURTHEST_RATIO = 0.2
FURTHEST_MS = 1.0
"""Our percentiles may differ from k6's by one of the two."""

LOWEST_STALL_RATIO = 0.9
"""Of what wrk2's rule gives: the 99th percentile of a stall is in few requests."""

REACHED = 0.98
CAPACITY_RATES = (2000, 4000, 6000, 8000, 10000)
CAPACITY_S = 8

K6 = "k6 constant-arrival-rate"
STOCK = "stock Locust"
OWN = "this suite"
OWN_GENERATOR = "its generator, from due"
KNOWN = "known"


@dataclass(frozen=True, slots=True)
class Latency:
    """One of the server's latencies.

    Attributes:
        path: Where the server has it.
        name: What the tables call it.
        longest_s: What an answer may take.
        quantile: What it is known to be, in seconds, at a share.
    """

    path: str
    name: str
    longest_s: float
    quantile: Callable[[float], float]


LATENCIES = (
    Latency("/constant", "answers at once", 0.1, lambda _share: 0.0),
    Latency("/lognormal", "answers after lognormal delays", 0.3, lognormal_quantile),
    Latency("/stall", "stalls for 2 s of every 10 s", STALL_S, stall_quantile),
)

Row = dict[str, Told]
Results = dict[tuple[Latency, int], Row]


def main() -> int:
    """Measure, print, and say whether the requirements are met."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rates", type=int, nargs="+", default=[200, 500, 1000], metavar="N")
    parser.add_argument(
        "--seconds",
        type=int,
        default=20,
        metavar="N",
        help="of each run, after 3 s of warm-up; a multiple of 10, as the stalls are",
    )
    parser.add_argument("--no-capacity", action="store_true", help="leave the highest rates out")
    parser.add_argument("--check", action="store_true", help="exit code 1 when one is missed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="load-latency-") as folder:
        scratch = Path(folder)
        server = Command([sys.executable, ROOT / "benchmarks" / "known_server.py"], ROOT)
        with service(server, scratch, ready="serving ") as told:
            base_url = told[-1].split()[1]
            capacity = {} if arguments.no_capacity else compare_capacity(base_url)
            results = {
                (latency, rate): compare(
                    Task(base_url, latency.path, rate, arguments.seconds, latency.longest_s),
                    latency,
                    scratch,
                )
                for latency in LATENCIES
                for rate in arguments.rates
            }
    is_met = print_requirements(judge(results) | capacity)
    return 0 if is_met or not arguments.check else 1


def compare(task: Task, latency: Latency, scratch: Path) -> Row:
    """Let each contestant put the same load on the server, and print what they tell."""
    known_ms = [latency.quantile(share) * 1000 for share in SHARES]
    own, generator = run_own(task)
    row = {
        KNOWN: Told(task.rate, *known_ms),
        K6: run_k6(task, find_k6(), scratch),
        OWN: own,
        OWN_GENERATOR: generator,
        STOCK: run_stock_locust(task),
    }
    print(f"\nserver that {latency.name}, {task.rate} requests/s for {task.duration_s} s")
    print_table(
        ["", "requests/s", "p50 ms", "p95 ms", "p99 ms", "p50 / k6", "p95 / k6", "p99 / k6"],
        (
            [name, f"{one.rate:.0f}", *_figures(one), *_ratios(one, row[K6])]
            for name, one in row.items()
        ),
    )
    sys.stdout.flush()
    return row


def _figures(told: Told) -> Sequence[str]:
    return [f"{ms:.2f}" for ms in (told.p50_ms, told.p95_ms, told.p99_ms)]


def _ratios(told: Told, reference: Told) -> Sequence[str]:
    pairs = (
        (told.p50_ms, reference.p50_ms),
        (told.p95_ms, reference.p95_ms),
        (told.p99_ms, reference.p99_ms),
    )
    return [f"{ms / reference_ms:.2f}" for ms, reference_ms in pairs]


def judge(results: Results) -> dict[str, bool]:
    """Say of each requirement on latencies whether it is met."""
    requirements: dict[str, bool] = {}
    for (latency, rate), row in results.items():
        own, k6 = row[OWN], row[K6]
        requirements[f"{latency.name}, {rate}/s: {OWN}'s p50 is k6's"] = is_near(
            own.p50_ms, k6.p50_ms
        )
        requirements[f"{latency.name}, {rate}/s: {OWN}'s p95 is k6's"] = is_near(
            own.p95_ms, k6.p95_ms
        )
        if latency.path == "/stall":
            lowest_ms = row[KNOWN].p99_ms * LOWEST_STALL_RATIO
            requirements[f"{latency.name}, {rate}/s: {OWN}'s p99 shows it"] = (
                own.p99_ms >= lowest_ms
            )
    return requirements


def is_near(ms: float, reference_ms: float) -> bool:
    """Whether a latency is near enough to another, both in milliseconds."""
    return abs(ms - reference_ms) <= max(FURTHEST_MS, FURTHEST_RATIO * reference_ms)


def compare_capacity(base_url: str) -> dict[str, bool]:
    """Raise the rate until one process of each no longer reaches it."""
    rows = []
    stock: list[Told] = []
    own: list[Told] = []
    for rate in CAPACITY_RATES:
        task = Task(base_url, "/constant", rate, CAPACITY_S, 0.1)
        stock.append(run_stock_locust(task))
        own.append(run_own(task)[1])
        rows.append([f"{rate}", f"{stock[-1].rate:.0f}", f"{own[-1].rate:.0f}"])
    print("\nrequests/s that one process reaches")
    print_table(["scheduled", STOCK, OWN], rows)
    most, most_own = (max(told.rate for told in each) for each in (stock, own))
    sustained, sustained_own = (_sustained(each) for each in (stock, own))
    print(
        f"the most: {most:.0f}, {most_own:.0f}; the highest reached: {sustained}, {sustained_own}"
    )
    return {
        f"one process of {OWN} carries as high a rate as {STOCK}": sustained_own >= sustained,
        f"one process of {OWN} makes as many requests as {STOCK}": most_own >= most,
    }


def _sustained(each: Sequence[Told]) -> int:
    """The highest rate that was reached."""
    reached = [
        rate for rate, told in zip(CAPACITY_RATES, each, strict=True) if told.rate >= REACHED * rate
    ]
    return max(reached, default=0)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchmarkError as error:
        sys.exit(f"load_latency: {error}")
