"""What the report of a thousand checks costs: its size, to write it, and to open it in a browser.

Example: uv run python benchmarks/report_page.py --repeats 5 --check
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from html import escape
from pathlib import Path

from measuring import BenchmarkError, in_turn, print_requirements, print_table
from playwright.sync_api import Browser, sync_playwright

from deployment_gate.environment import (
    Action,
    Condition,
    Consecutive,
    HealthRule,
    Indicator,
    IndicatorKind,
    Over,
    Policy,
    Sustained,
    Tier,
    TriggerRule,
)
from deployment_gate.evidence import (
    CheckOutcome,
    Evidence,
    Observation,
    ObservationKind,
    Outcome,
    PlannedCheck,
    Run,
    RunEnd,
)
from deployment_gate.judgement import judge
from deployment_gate.reports.account import Account
from deployment_gate.reports.limits import Limits
from deployment_gate.reports.page.render import render_page
from deployment_gate.web.chromium import find_chromium, launch_options

CHECKS = 1000
FEW = 10
LARGEST_MB = 5.0
LONGEST_TO_WRITE_S = 3.0
LONGEST_TO_OPEN_S = 1.0

_FAILS = 10
"""One check of so many fails."""

_PICTURE = 150_000
"""Bytes of a picture: that of a page of the sandbox on a desktop has 140,000."""

_EXCHANGES = 10
_START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
_HEALTH = ("api_service", "web_interface", "database", "cache")

_SHOWN = """() => new Promise((resolve) => {
  const told = () => {
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    const loaded = performance.getEntriesByType("navigation")[0].loadEventEnd;
    if (paint && loaded) resolve(Math.max(paint.startTime, loaded) / 1000);
    else setTimeout(told, 10);
  };
  told();
})"""
"""Seconds from the navigation's start until the page was loaded and something of it was seen."""


@dataclass(frozen=True, slots=True)
class Written:
    """A page that was written.

    Attributes:
        seconds: It took so long.
        path: Where it is.
    """

    seconds: float
    path: Path

    @property
    def megabytes(self) -> float:
        """How large it is, in 1,000,000 bytes."""
        return self.path.stat().st_size / 1e6


@dataclass(frozen=True, slots=True)
class Case:
    """A run that is reported: what was seen, and what pytest-html collected of it."""

    account: Account
    draft: str


def main() -> int:
    """Measure, print, and say whether the requirements are met."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="counted runs of each")
    parser.add_argument(
        "--check", action="store_true", help="exit code 1 when it is too large or too slow"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="report-page-") as folder:
        is_met = compare(Path(folder), repeats=arguments.repeats)
    return 0 if is_met or not arguments.check else 1


def compare(scratch: Path, *, repeats: int) -> bool:
    """Write and open the pages of few checks and of many; whether the requirements are met."""
    cases = {f"{number:,} checks": _case(number) for number in (FEW, CHECKS)}
    few, many = cases
    # As a run does: once, with matplotlib to be imported.
    first = _write(cases[many], scratch / "first.html")
    several = in_turn(
        {
            name: partial(_write, case, scratch / f"{name}.html".replace(" ", "-"))
            for name, case in cases.items()
        },
        repeats=repeats,
    )
    written = {name: each[-1] for name, each in several.items()}
    writing = {
        name: statistics.median(one.seconds for one in each) for name, each in several.items()
    }
    with sync_playwright() as playwright:
        program = find_chromium(os.environ, own=playwright.chromium.executable_path)
        browser = playwright.chromium.launch(**launch_options(program, ["127.0.0.1"]))
        opened = in_turn(
            {name: partial(_open, browser, one.path) for name, one in written.items()},
            repeats=repeats,
        )
        browser.close()
    opening = {name: statistics.median(each) for name, each in opened.items()}
    print(f"report.html, every {_FAILS}th check failed: medians of {repeats} runs each")
    print_table(
        ["", "MB", "written in s", "opened in s"],
        (
            [
                name,
                f"{written[name].megabytes:.2f}",
                f"{writing[name]:.2f}",
                f"{opening[name]:.2f}",
            ]
            for name in cases
        ),
    )
    sizes = [written[name].megabytes for name in (many, few)]
    print(
        f"\n{many} are {sizes[0] / sizes[1]:.1f} times as large as {FEW}, take "
        f"{writing[many] / writing[few]:.1f} times as long to write and "
        f"{opening[many] / opening[few]:.1f} times as long to open; "
        f"{first.seconds:.2f} s with matplotlib's import"
    )
    return print_requirements(
        {
            f"{many} in less than {LARGEST_MB:g} MB": sizes[0] < LARGEST_MB,
            f"written in less than {LONGEST_TO_WRITE_S:g} s, imports included": (
                first.seconds < LONGEST_TO_WRITE_S
            ),
            f"opened in less than {LONGEST_TO_OPEN_S:g} s": opening[many] < LONGEST_TO_OPEN_S,
        }
    )


def _write(case: Case, path: Path) -> Written:
    began = time.perf_counter()
    path.write_text(render_page(case.account, case.draft), encoding="utf-8")
    return Written(time.perf_counter() - began, path)


def _open(browser: Browser, path: Path) -> float:
    """Seconds until a new page of the browser has shown a file.

    Raises:
        BenchmarkError: The browser complains of it.
    """
    context = browser.new_context(offline=True)
    complaints: list[str] = []
    try:
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path.as_uri())
        seconds = float(page.evaluate(_SHOWN))
    finally:
        context.close()
    if complaints:
        raise BenchmarkError(f"{path}: {complaints[0]}")
    return seconds


def _case(number: int) -> Case:
    """A run of so many checks, made up, the same each time."""
    chance = random.Random(number)  # noqa: S311  # no secret
    names = [
        f"validation/api/test_part_{one // 20}.py::test_something_is_as_it_is_said[{one}-it]"
        for one in range(number)
    ]
    failed = set(names[::_FAILS])
    outcomes = tuple(
        CheckOutcome(
            id=name,
            outcome=Outcome.FAILED if name in failed else Outcome.PASSED,
            at=_START + timedelta(seconds=5 + one / 10),
            duration_s=0.1,
            message="GET /api/v1/policies answered 500; expected 200" if name in failed else "",
        )
        for one, name in enumerate(names)
    )
    evidence = Evidence(
        run=Run(id=str(number), environment="sandbox", started=_START, tier="full"),
        plan=tuple(PlannedCheck(id=name, category="api") for name in names),
        observations=(*_observations(number),),
        outcomes=outcomes,
        end=RunEnd(at=_START + timedelta(seconds=10 + number / 10), exit_status=1),
    )
    policy = _policy()
    account = Account(
        run=evidence.run,
        verdict=judge(policy, evidence),
        evidence=evidence,
        health_endpoints=dict.fromkeys(_HEALTH, "http://127.0.0.1:18000/health"),
        policy=policy,
        limits=Limits(answers_p95_s=0.2, error_rate=0.001),
    )
    return Case(account, _draft(names, failed, chance))


def _policy() -> Policy:
    conditions: dict[str, Condition] = {
        "health_check_failure": Consecutive(Indicator(IndicatorKind.HEALTH), 3),
        "error_rate_threshold": Sustained(Indicator(IndicatorKind.ERROR), 0.05, 120),
        "performance_degradation": Sustained(
            Indicator(IndicatorKind.SLOW, threshold_s=0.5), 0.05, 180
        ),
    }
    rule = HealthRule(
        expected_statuses=frozenset({200}), timeout_s=5, content=None, may_be_page=False
    )
    return Policy(
        triggers=tuple(
            TriggerRule(
                name=name,
                condition=condition,
                action=Action.ROLLBACK,
                timeout_s=300,
                interval_s=10,
                samples=30,
                confidence=0.95,
                over=Over.ALL,
                phrase=name,
                source="sandbox.yaml:1",
            )
            for name, condition in conditions.items()
        ),
        health_endpoints=dict.fromkeys(_HEALTH, rule),
        identities={},
        required=dict.fromkeys(Tier, ()),
    )


def _observations(number: int) -> Iterator[Observation]:
    """What was seen: each endpoint's health, and ten answers to each check."""
    for one in range(60):
        for name in _HEALTH:
            at = _START + timedelta(seconds=one / 10)
            yield Observation(
                at=at, kind=ObservationKind.HEALTH, subject=name, duration_s=0.01, status=200
            )
    for one in range(number * 10):
        yield Observation(
            at=_START + timedelta(seconds=5 + one / 100),
            kind=ObservationKind.REQUEST,
            subject=f"GET /api/v1/policies/{one % 20}",
            duration_s=0.01 + one % 97 / 1000,
            status=500 if one % 100 == 0 else 200,
        )


def _draft(names: Sequence[str], failed: set[str], chance: random.Random) -> str:
    """What pytest-html writes of these checks."""
    body = json.dumps({"items": [{"id": one, "title": "A policy"} for one in range(40)]})
    exchange = (
        "$ curl --include --request GET --header 'authorization: Bearer [redacted]' "
        "http://127.0.0.1:18000/api/v1/policies\n"
        f"> GET http://127.0.0.1:18000/api/v1/policies  (as analyst)\n< 200 after 4 ms\n< {body}"
    )
    requests = "\n\n".join([exchange] * _EXCHANGES)
    why = "validation/api/test_part.py:20: in test_something\n    assert answer == 200\n" * 6
    tests = {}
    for name in names:
        is_failed = name in failed
        section = f"{' Captured requests call ':-^80}\n{requests if is_failed else exchange}\n"
        picture = base64.b64encode(chance.randbytes(_PICTURE)).decode() if is_failed else ""
        extra = {
            "name": "policies on desktop",
            "format_type": "image",
            "content": f"data:image/png;base64,{picture}",
            "mime_type": "image/png",
        }
        entry = {
            "testId": name,
            "result": "Failed" if is_failed else "Passed",
            "log": escape(f"{why}E   AssertionError: 500\n{section}" if is_failed else section),
            "extras": [extra] if is_failed else [],
        }
        tests[name] = [entry]
    blob = escape(json.dumps({"environment": {}, "tests": tests}))
    return f'<div id="data-container" data-jsonblob="{blob}"></div></html>'


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchmarkError as error:
        sys.exit(f"report_page: {error}")
