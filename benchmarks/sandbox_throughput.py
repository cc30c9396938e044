"""How many requests a second the sandbox's API answers, at 100 connections.

Example: uv run python benchmarks/sandbox_throughput.py
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from measuring import ROOT, BenchmarkError, Command, print_requirements, print_table, service

CONNECTIONS = 100
LOWEST_RATE = 1000.0
"""Requests a second that the platform must sustain, by the runbook's own target."""

PATHS = ("/version", "/health", "/api/v1/policies", "/api/v1/search?q=policy")
PASSWORD = "test-password-of-the-sandbox"  # noqa: S105  # the sandbox's own default


def main() -> int:
    """Measure, print, and say whether the requirement is met."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=5, metavar="N", help="for each path")
    parser.add_argument("--check", action="store_true", help="exit code 1 when it is too slow")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sandbox-throughput-") as folder:
        scratch = Path(folder)
        sandbox = Command(
            [
                *(sys.executable, "-m", "sandbox", "up", "--api-port", "0", "--web-port", "0"),
                *("--state-dir", scratch / "sandbox"),
            ],
            ROOT,
        )
        with service(sandbox, scratch, ready="web ") as told:
            api = told[-2].split()[1]
            token = sign_in(api)
            rates = {
                path: requests_per_second(api + path, token, seconds=arguments.seconds)
                for path in PATHS
            }
    print(f"{CONNECTIONS} connections, {arguments.seconds} s for each path")
    print_table(["path", "requests/s"], ([path, f"{rate:.0f}"] for path, rate in rates.items()))
    is_met = print_requirements(
        {
            f"listing policies sustains {LOWEST_RATE:g} requests/s": (
                rates["/api/v1/policies"] > LOWEST_RATE
            )
        }
    )
    return 0 if is_met or not arguments.check else 1


def sign_in(api: str) -> str:
    """Return a token of the sandbox's reading user."""
    credentials = json.dumps({"username": "test", "password": PASSWORD}).encode()
    request = urllib.request.Request(  # noqa: S310  # loopback
        f"{api}/api/v1/auth/login", credentials, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        token: str = json.load(answer)["access_token"]
    return token


def requests_per_second(url: str, token: str, *, seconds: int) -> float:
    """Return how many requests a second were answered.

    By wrk, since a busier generator (k6, say) would take the processor that the platform needs.

    Raises:
        BenchmarkError: There is no wrk, or some answers were no good ones.
    """
    wrk = shutil.which("wrk")
    if wrk is None:
        raise BenchmarkError("there is no wrk. Install it: apt-get install wrk")
    words = [
        wrk,
        "-t1",
        f"-c{CONNECTIONS}",
        f"-d{seconds}s",
        "-H",
        f"Authorization: Bearer {token}",
    ]
    told = subprocess.run([*words, url], check=True, capture_output=True, text=True).stdout  # noqa: S603
    if "Non-2xx" in told or "Socket errors" in told:
        raise BenchmarkError(f"{url}: not every answer was a good one:\n{told}")
    (rate,) = re.findall(r"Requests/sec:\s*([0-9.]+)", told)
    return float(rate)


if __name__ == "__main__":
    sys.exit(main())
