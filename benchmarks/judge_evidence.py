"""What judging evidence again costs, by how much was observed and from how many machines.

Example: uv run python benchmarks/judge_evidence.py --repeats 5 --check
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path

from measuring import (
    ROOT,
    BenchmarkError,
    Command,
    in_turn,
    measure,
    median,
    print_requirements,
    print_table,
)

from deployment_gate.evidence import (
    CheckOutcome,
    GivenVerdict,
    Observation,
    ObservationKind,
    Outcome,
    PlannedCheck,
    Run,
    RunEnd,
)
from deployment_gate.evidence.lines import Record, encode

OBSERVATIONS = 100_000
LONGEST_S = 1.5
"""So many are judged in less, beyond what judging a handful takes, on a quiet machine."""
MOST_BYTES = 1024
"""Each of them may take so much memory; its line is about a quarter of that."""

_START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
_CHECK = "validation/health/test_endpoints.py::test_endpoint_is_healthy[api_service]"
_HEALTH = ("api_service", "database", "cache", "web_interface")
_SPACING = timedelta(milliseconds=3)


@dataclass(frozen=True, slots=True)
class Case:
    """Evidence to be judged: so many observations, by so many machines."""

    observations: int
    machines: int = 1


CASES = {
    "10 observations": Case(10),
    f"{OBSERVATIONS:,} observations": Case(OBSERVATIONS),
    f"{OBSERVATIONS:,} of 8 machines": Case(OBSERVATIONS, machines=8),
}


def main() -> int:
    """Measure, print, and say whether the requirements are met."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="counted runs of each")
    parser.add_argument("--check", action="store_true", help="exit code 1 when it costs too much")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="judge-evidence-") as folder:
        is_met = compare(Path(folder), repeats=arguments.repeats)
    return 0 if is_met or not arguments.check else 1


def compare(scratch: Path, *, repeats: int) -> bool:
    """Judge each case; whether the requirements are met."""
    commands = {name: _judging(scratch, case) for name, case in CASES.items()}
    several = in_turn(
        {name: partial(measure, command, scratch) for name, command in commands.items()},
        repeats=repeats,
    )
    costs = {name: median(each) for name, each in several.items()}
    print(f"deployment-gate judge, by the sandbox's policy: medians of {repeats} runs each")
    print_table(
        ["", "seconds", "processor", "peak MiB"],
        (
            [name, f"{cost.seconds:.2f}", f"{cost.processor_s:.2f}", f"{cost.peak_mib:.0f}"]
            for name, cost in costs.items()
        ),
    )
    few, many, _ = costs.values()
    seconds = many.seconds - few.seconds
    size = (many.peak_mib - few.peak_mib) * 2**20 / OBSERVATIONS
    print(f"\n{OBSERVATIONS:,} observations take {seconds:.2f} s more than 10, {size:.0f} B each")
    return print_requirements(
        {
            f"{OBSERVATIONS:,} observations in less than {LONGEST_S:g} s": seconds < LONGEST_S,
            f"at most {MOST_BYTES} B of memory for each": size <= MOST_BYTES,
        }
    )


def _judging(scratch: Path, case: Case) -> Command:
    files = [_write(scratch, case, machine) for machine in range(case.machines)]
    return Command(
        [Path(sys.executable).with_name("deployment-gate"), "judge", *files, "--env", "sandbox"],
        ROOT,
    )


def _write(scratch: Path, case: Case, machine: int) -> Path:
    """Write what one machine saw, its moments between those of the others."""
    name = f"{case.observations}-{case.machines}-{machine}"
    numbers = range(machine, case.observations, case.machines)
    checks = {_CHECK: "health", "api": "api"}
    records: Iterator[Record] = chain(
        [Run(id=name, environment="sandbox", started=_START, tier="smoke")],
        (PlannedCheck(id=check, category=category) for check, category in checks.items()),
        map(_observation, numbers),
        (
            CheckOutcome(id=check, outcome=Outcome.PASSED, at=_START, duration_s=0.1)
            for check in checks
        ),
        [
            RunEnd(at=_START + case.observations * _SPACING, exit_status=0),
            GivenVerdict(verdict="promote", sentence="All is well."),
        ],
    )
    path = scratch / f"{name}.jsonl"
    # Line by line: what this process held would count as a child's peak, too.
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{encode(record)}\n" for record in records)
    return path


def _observation(number: int) -> Observation:
    at = _START + number * _SPACING
    duration_s = 0.01 + number % 97 / 1000
    if number % 10 < len(_HEALTH):
        return Observation(
            at=at,
            kind=ObservationKind.HEALTH,
            subject=_HEALTH[number % 10],
            duration_s=duration_s,
            status=200,
            facts={"content_type": "application/json", "states": {"": "ok", "queue": "up"}},
        )
    return Observation(
        at=at,
        kind=ObservationKind.REQUEST,
        subject=f"GET /api/v1/policies/{number % 20}",
        duration_s=duration_s,
        status=200,
        facts={"content_type": "application/json", "size": 84},
        check=_CHECK,
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchmarkError as error:
        sys.exit(f"judge_evidence: {error}")
