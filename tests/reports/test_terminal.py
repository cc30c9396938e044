"""The verdict on the terminal: short, and safe to print."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deployment_gate.reports.account import Account
from deployment_gate.reports.terminal import verdict_lines

Make = Callable[..., Account]


def lines(account: Account, width: int = 80) -> list[str]:
    """The lines of the block."""
    return list(verdict_lines(account, report="reports/staging/report.html", width=width))


def test_it_tells_why_what_to_know_what_to_do_and_where_the_report_is(account: Make) -> None:
    told = account(
        "the disk is full", "t::a failed", notes=("a blip",), not_covered=("web: no", "x: y")
    )
    assert lines(told, 200) == [
        "why     the disk is full",
        "        t::a failed",
        "note    a blip",
        "        not covered: web, x",
        "next    Do not promote, and do not roll back on this alone. "
        + "Look at the reasons, mend them, validate again.",
        "report  reports/staging/report.html",
    ]


def test_a_promote_tells_what_it_stands_on(account: Make) -> None:
    assert lines(account())[0] == "why     2 of 2 checks passed, all 1 triggers are clear."


def test_at_most_five_reasons_and_three_notes_are_shown(account: Make) -> None:
    many = account(
        *[f"reason {number}" for number in range(9)],
        notes=tuple(f"note {number}" for number in range(9)),
    )
    shown = lines(many)
    assert sum("reason " in line for line in shown) == 5
    assert "        and 4 more in the report" in shown
    assert sum("note " in line for line in shown) == 3


@pytest.mark.parametrize("width", [48, 60, 80, 120])
def test_lines_fit_the_terminal(width: int, account: Make) -> None:
    wide = account("word " * 60, notes=("note " * 60,))
    assert max(map(len, lines(wide, width))) <= width
    assert all(
        line.startswith(("why ", "note ", "next ", "report ", " " * 8))
        for line in lines(wide, width)
    )


@pytest.mark.parametrize("width", [0, 1, 20])
def test_a_terminal_that_is_hardly_one_still_gets_lines(width: int, account: Make) -> None:
    assert max(map(len, lines(account("word " * 60), width))) <= 48


def test_a_name_is_never_broken(account: Make) -> None:
    name = "validation/api/test_policies.py::test_" + "x" * 100
    assert any(name in line for line in lines(account(f"{name} failed")))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text())
def test_no_text_controls_the_terminal(text: str, account: Make) -> None:
    for line in lines(account(f"x {text}", notes=(text,), not_covered=(text,))):
        assert line.isprintable()


def test_an_escape_sequence_of_the_target_is_shown_not_obeyed(account: Make) -> None:
    first = lines(account("reports \x1b[2J\x1b]0;owned\x07 down\r\nnext"))[0]
    assert first == "why     reports �[2J�]0;owned� down next"
