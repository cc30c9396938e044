"""What a smoke run costs, beside a bare pytest run of as many empty tests.

Example: uv run python benchmarks/smoke_overhead.py --repeats 9 --check
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import phases
from measuring import (
    ROOT,
    BenchmarkError,
    Command,
    Cost,
    compare_with_sandbox,
    in_turn,
    measure,
    median,
    planned_checks,
    print_requirements,
    print_table,
    pytest_words,
    write_empty_tests,
)

HIGHEST_RATIO = 2.0
"""A smoke run may cost this many times what the bare run costs."""

# Which moment ends each part, in order; a part begins where the one before it ended.
_PARTS = {"start-up": "loop", "sweep": "checks", "checks": "end", "reports": "exit"}

# Hypothesis' plugin imports all of Hypothesis at the end of each run, whether it is used or not.
# That weighs on both sides, and makes their ratio look better than it is without.
_WITHOUT_HYPOTHESIS = ("-p", "no:hypothesispytest")


@dataclass(frozen=True, slots=True)
class Timed:
    """One run's cost, and the seconds that each of its parts took."""

    cost: Cost
    parts: dict[str, float]


def main() -> int:
    """Measure, print, and say whether the requirement is met."""
    about = __doc__.partition("\n")[0]
    return compare_with_sandbox(compare, about=about, repeats=7, missed="it costs too much")


def compare(scratch: Path, ports: dict[str, str], *, repeats: int) -> bool:
    """Measure both runs, with and without Hypothesis' plugin; whether the requirement is met."""
    smoke = Command(
        pytest_words(
            *("-p", "phases", "--env=sandbox", "-m", "smoke"),
            *(f"--report-dir={scratch / 'reports'}", "-o", f"cache_dir={scratch / 'cache'}"),
        ),
        ROOT,
        ports | _variables(scratch),
    )
    measure(smoke, scratch)
    checks = planned_checks(scratch / "reports")
    bare = _bare_run(scratch, tests=checks)
    runs = {
        "smoke": smoke,
        "bare": bare,
        "smoke, no hypothesis": replace(smoke, words=[*smoke.words, *_WITHOUT_HYPOTHESIS]),
        "bare, no hypothesis": replace(bare, words=[*bare.words, *_WITHOUT_HYPOTHESIS]),
    }
    several = in_turn(
        {name: partial(_timed, command, scratch) for name, command in runs.items()},
        repeats=repeats,
    )
    timed = {name: _median(each) for name, each in several.items()}

    print(
        f"{checks} checks against the sandbox, {checks} empty tests: medians of {repeats} runs each"
    )
    print_table(
        ["seconds", *_PARTS, "in all", "processor", "peak MiB"],
        (
            [
                name,
                *(f"{seconds:.2f}" for seconds in one.parts.values()),
                f"{one.cost.seconds:.2f}",
                f"{one.cost.processor_s:.2f}",
                f"{one.cost.peak_mib:.0f}",
            ]
            for name, one in timed.items()
        ),
    )
    ratio = timed["smoke"].cost.seconds / timed["bare"].cost.seconds
    stricter = (
        timed["smoke, no hypothesis"].cost.seconds / timed["bare, no hypothesis"].cost.seconds
    )
    print(f"\nratio {ratio:.2f}; without Hypothesis' plugin on either side {stricter:.2f}")
    return print_requirements(
        {
            f"a smoke run costs at most {HIGHEST_RATIO:g} times the bare run": (
                ratio <= HIGHEST_RATIO
            )
        }
    )


def _bare_run(scratch: Path, *, tests: int) -> Command:
    folder = scratch / "bare"
    write_empty_tests(folder, tests)
    return Command(
        pytest_words(
            *("-p", "phases", "-p", "no:deployment_gate", "--import-mode=importlib"),
            *(f"--junitxml={folder / 'junit.xml'}", f"--html={folder / 'report.html'}"),
            *("--self-contained-html", "-o", f"cache_dir={scratch / 'cache'}"),
        ),
        folder,
        _variables(scratch),
    )


def _variables(scratch: Path) -> dict[str, str]:
    return {
        "PYTHONPATH": str(Path(__file__).resolve().parent),
        phases.VARIABLE: str(scratch / "phases.jsonl"),
    }


def _timed(command: Command, scratch: Path) -> Timed:
    before = time.clock_gettime(time.CLOCK_MONOTONIC)
    cost = measure(command, scratch)
    lines = (scratch / "phases.jsonl").read_text(encoding="utf-8").splitlines()
    moments = json.loads(lines[-1]) | {"exit": before + cost.seconds}
    parts = {}
    for part, end in _PARTS.items():
        parts[part] = moments[end] - before
        before = moments[end]
    return Timed(cost, parts)


def _median(several: list[Timed]) -> Timed:
    return Timed(
        median([one.cost for one in several]),
        {part: statistics.median(one.parts[part] for one in several) for part in _PARTS},
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchmarkError as error:
        sys.exit(f"smoke_overhead: {error}")
