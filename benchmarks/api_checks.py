"""What validating the sandbox's API costs, with the contract sweep and without it.

Example: uv run python benchmarks/api_checks.py --repeats 5 --check
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from measuring import (
    ROOT,
    BenchmarkError,
    Command,
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

LONGEST_S = 3.0
"""A healthy sandbox's API is validated in less, without the contract sweep, on a quiet machine."""

_CONTRACT = "validation/api/test_contract.py"


def main() -> int:
    """Measure, print, and say whether the requirement is met."""
    about = __doc__.partition("\n")[0]
    return compare_with_sandbox(compare, about=about, repeats=5, missed="it takes too long")


def compare(scratch: Path, ports: dict[str, str], *, repeats: int) -> bool:
    """Measure the API's checks beside as many empty tests; whether the requirement is met."""
    whole = _checks(scratch, ports)
    measure(whole, scratch)
    checks = planned_checks(scratch / "reports")
    runs = {
        "without the contract": _checks(scratch, ports, "--deselect", _CONTRACT),
        "with the contract": whole,
        "after a deploy": _checks(scratch, ports, marker="api and smoke"),
        f"{checks} empty tests": _empty_tests(scratch, checks),
    }
    several = in_turn(
        {name: partial(measure, command, scratch) for name, command in runs.items()},
        repeats=repeats,
    )
    costs = {name: median(each) for name, each in several.items()}
    print(f"{checks} checks of the sandbox's API: medians of {repeats} runs each")
    empty_s = costs[f"{checks} empty tests"].seconds
    print_table(
        ["", "seconds", "times the empty tests", "processor", "peak MiB"],
        (
            [
                name,
                f"{cost.seconds:.2f}",
                f"{cost.seconds / empty_s:.1f}",
                f"{cost.processor_s:.2f}",
                f"{cost.peak_mib:.0f}",
            ]
            for name, cost in costs.items()
        ),
    )
    return print_requirements(
        {
            f"without the contract in less than {LONGEST_S:g} s": (
                costs["without the contract"].seconds < LONGEST_S
            )
        }
    )


def _checks(scratch: Path, ports: dict[str, str], *arguments: str, marker: str = "api") -> Command:
    return Command(
        pytest_words(
            *("--env=sandbox", "-m", marker, f"--report-dir={scratch / 'reports'}"),
            *("-o", f"cache_dir={scratch / 'cache'}", "-p", "no:hypothesispytest"),
            *arguments,
        ),
        ROOT,
        ports,
    )


def _empty_tests(scratch: Path, number: int) -> Command:
    folder = scratch / "empty"
    write_empty_tests(folder, number)
    return Command(
        pytest_words(
            *("-p", "no:deployment_gate", "-p", "no:hypothesispytest"),
            *("--import-mode=importlib", f"--junitxml={folder / 'junit.xml'}"),
            *(f"--html={folder / 'report.html'}", "--self-contained-html"),
            *("-o", f"cache_dir={scratch / 'cache'}"),
        ),
        folder,
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchmarkError as error:
        sys.exit(f"api_checks: {error}")
