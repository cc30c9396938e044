"""Those that put load on a server and tell its latency: k6, Locust as it comes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from measuring import ROOT, BenchmarkError

WARM_UP_S = 3
USERS = 100
"""Of Locust, and of this suite."""

SHARES = (0.5, 0.95, 0.99)

_SPARE_S = 60
_SHOWN_CHARACTERS = 2000

_K6_SCRIPT = """\
import http from "k6/http";
import { check } from "k6";

const arrivals = {
  executor: "constant-arrival-rate",
  rate: Number(__ENV.RATE),
  preAllocatedVUs: Number(__ENV.USERS),
};

export const options = {
  scenarios: {
    warm_up: { ...arrivals, duration: __ENV.WARM_UP },
    measured: { ...arrivals, startTime: __ENV.WARM_UP, duration: __ENV.DURATION },
  },
  summaryTrendStats: ["p(50)", "p(95)", "p(99)", "count"],
  // Only what has a threshold is told of one scenario by itself.
  thresholds: {
    "http_req_duration{scenario:measured}": ["p(50)>=0"],
    "checks{scenario:measured}": ["rate==1"],
  },
};

export default function () {
  const answer = http.get(__ENV.URL);
  check(answer, { "is right": (one) => one.status === 200 && one.body.includes("items") });
}

export function handleSummary(data) {
  return { stdout: JSON.stringify(data.metrics) };
}
"""


@dataclass(frozen=True, slots=True)
class Task:
    """What a contestant is to do.

    Attributes:
        base_url: Of the known server.
        path: Which of its latencies.
        rate: Requests a second.
        duration_s: How long, after the warm-up.
        longest_s: What an answer may take, by which clients are bounded that need one a request.
    """

    base_url: str
    path: str
    rate: int
    duration_s: int
    longest_s: float


@dataclass(frozen=True, slots=True)
class Told:
    """What a contestant told: the rate that it reached, and percentiles in milliseconds."""

    rate: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


def run_k6(task: Task, k6: str, scratch: Path) -> Told:
    """Load by k6's constant-arrival-rate.

    Raises:
        BenchmarkError: It failed, or some answers weren't right.
    """
    script = scratch / "load.js"
    script.write_text(_K6_SCRIPT, encoding="utf-8")
    variables = {
        "URL": task.base_url + task.path,
        "RATE": f"{task.rate}",
        "USERS": f"{round(task.rate * task.longest_s * 1.1) + 50}",
        "WARM_UP": f"{WARM_UP_S}s",
        "DURATION": f"{task.duration_s}s",
    }
    words = [k6, "run", "--quiet", "--no-usage-report"]
    words += [word for name, value in variables.items() for word in ("-e", f"{name}={value}")]
    metrics = json.loads(_output([*words, str(script)], task))
    durations = metrics["http_req_duration{scenario:measured}"]["values"]
    return Told(
        rate=durations["count"] / task.duration_s,
        p50_ms=durations["p(50)"],
        p95_ms=durations["p(95)"],
        p99_ms=durations["p(99)"],
    )


def run_stock_locust(task: Task) -> Told:
    """Load by Locust as it comes, in one process.

    Raises:
        BenchmarkError: It failed, or some answers were errors.
    """
    words = [
        *(sys.executable, "-m", "locust", "-f", str(ROOT / "benchmarks" / "stock_locustfile.py")),
        *("--headless", "--json", "--skip-log", "--reset-stats", "--host", task.base_url),
        # All users are there after a second, when the statistics begin anew.
        *("-u", f"{USERS}", "-r", f"{USERS}", "-t", f"{task.duration_s + 1}s"),
    ]
    variables = {"STOCK_RATE": f"{task.rate}", "STOCK_PATH": task.path}
    (stats,) = json.loads(_output(words, task, variables))
    if stats["num_failures"]:
        raise BenchmarkError(f"Locust: {stats['num_failures']} requests failed")
    counts = {float(ms): count for ms, count in stats["response_times"].items()}
    p50_ms, p95_ms, p99_ms = (percentile(counts, share) for share in SHARES)
    lasted_s = stats["last_request_timestamp"] - stats["start_time"]
    return Told(stats["num_requests"] / lasted_s, p50_ms, p95_ms, p99_ms)


def percentile(counts: Mapping[float, int], share: float) -> float:
    """Return the least value that at least such a share is not above."""
    wanted = share * sum(counts.values())
    for value, count in sorted(counts.items()):
        wanted -= count
        if wanted <= 0:
            return value
    raise BenchmarkError("there is no answer to tell the latency by")


def restart(base_url: str) -> None:
    """Let the server's stalls begin anew, so that none is under way when measuring ends."""
    with urllib.request.urlopen(f"{base_url}/origin", timeout=10):  # noqa: S310  # loopback
        pass


def _output(words: list[str], task: Task, variables: Mapping[str, str] | None = None) -> str:
    """Run a contestant to its end; its standard output."""
    restart(task.base_url)
    done = subprocess.run(  # noqa: S603  # the benchmark's own commands
        words,
        env={**os.environ, **(variables or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WARM_UP_S + task.duration_s + _SPARE_S,
        check=False,
    )
    if done.returncode:
        told = (done.stdout + done.stderr)[-_SHOWN_CHARACTERS:]
        raise BenchmarkError(f"exit code {done.returncode} from {words[0]}\n{told}")
    return done.stdout
