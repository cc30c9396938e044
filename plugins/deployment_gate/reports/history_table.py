"""The history for the terminal, and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from deployment_gate.reports.criteria import (
    flaky_checks,
    format_seconds,
    format_share,
    success_criteria,
)
from deployment_gate.reports.history import Entry, History

_TIME = "%Y-%m-%d %H:%M"
_HEADINGS = (
    *("ended (UTC)", "verdict", "release", "scope"),
    *("passed", "p95", "errors", "healthy", "took"),
)


def history_table(history: History, *, last: int) -> str:
    """The runs of each environment, and what they say of the success criteria.

    Args:
        history: What to show.
        last: How many runs of each environment are listed; the criteria rest on all.
    """
    blocks = [
        "\n".join(_block(name, entries, last)) for name, entries in history.by_environment.items()
    ]
    blocks += [f"note: {one}" for one in history.notes]
    return "\n\n".join(blocks) or "no run of that environment is in the history"


def history_json(history: History, *, last: int) -> str:
    """The same for programs.

    Args:
        history: What to show.
        last: How many runs of each environment are listed; the criteria rest on all.
    """
    environments = {
        name: {
            "runs": [one.model_dump(mode="json") for one in entries[-last:]],
            "criteria": [asdict(one) for one in success_criteria(entries)],
            "flaky": [asdict(one) for one in flaky_checks(entries)],
        }
        for name, entries in history.by_environment.items()
    }
    return json.dumps(
        {"version": 1, "environments": environments, "notes": history.notes},
        indent=2,
        ensure_ascii=False,
    )


def _block(name: str, entries: Sequence[Entry], last: int) -> Iterator[str]:
    shown = entries[-last:]
    first, final = entries[0].ended, entries[-1].ended
    runs = "1 run" if len(entries) == 1 else f"{len(entries)} runs"
    yield f"{name}: {runs}, {first:%Y-%m-%d} to {final:%Y-%m-%d}"
    yield ""
    yield from _aligned([_HEADINGS, *map(_cells, shown)])
    if len(entries) > len(shown):
        yield f"  and {len(entries) - len(shown)} before them"
    yield ""
    yield from _aligned(
        [
            ("criterion", "measured", "wanted", "met", "rests on"),
            *(
                (
                    one.name,
                    one.shown,
                    one.target,
                    {True: "yes", False: "no", None: "n/a"}[one.is_met],
                    one.basis,
                )
                for one in success_criteria(entries)
            ),
        ]
    )
    for flaky in flaky_checks(entries):
        yield f"  flaky in {flaky.times} of {flaky.runs}: {flaky.id}"


def _cells(run: Entry) -> tuple[str, ...]:
    passed = sum(count for name, count in run.outcomes.items() if name in {"passed", "flaky"})
    p95, health = run.answers.p95_s, run.availability.fraction
    return (
        run.ended.strftime(_TIME),
        run.verdict.value,
        run.release or "-",
        run.scope,
        f"{passed} of {run.planned}",
        "-" if p95 is None else format_seconds(p95),
        f"{run.errors.count} of {run.errors.of}" if run.errors.of else "-",
        "-" if health is None else format_share(health),
        format_seconds(run.duration_s),
    )


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows as columns, each as wide as its widest cell; what a terminal would obey is left out."""
    clean = [[_printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*clean, strict=True)]
    for row in clean:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells).rstrip()}"


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)
