"""Pictures of a run: what they show, of how little there is none, and that they fail alone."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from deployment_gate.environment import Policy
from deployment_gate.evidence import Observation, ObservationKind, Outcome
from deployment_gate.reports.account import Account
from deployment_gate.reports.limits import Limits
from deployment_gate.reports.page import figures
from deployment_gate.reports.page.figures import Figure, figures_of
from deployment_gate.reports.page.render import render_page
from tests.reports.pages import POLICY, RULE, account_of_run, large, outcome, second, seen

HEALTH = ObservationKind.HEALTH
OF_HEALTH = ["The run's course", "health_check_failure", "error_rate"]
"""The pictures of looks at health endpoints alone, whose answers may be errors, too."""

SVG = "{http://www.w3.org/2000/svg}"


def drawn(account: Account) -> dict[str, Figure]:
    """A run's pictures by what their captions begin with; all of them were drawn."""
    all_ = [*figures_of(account)]
    for one in all_:
        assert one.svg, one.caption
        ET.fromstring(one.svg)  # noqa: S314  # our own
    return {re.split("[:,]", one.caption)[0]: one for one in all_}


def described(figure: Figure) -> str:
    """What who doesn't see it is told."""
    return next(
        one.text or ""
        for one in ET.fromstring(figure.svg).iter(f"{SVG}desc")  # noqa: S314  # our own
    )


def texts(figure: Figure) -> set[str]:
    """What is written in it."""
    return {one.text or "" for one in ET.fromstring(figure.svg).iter(f"{SVG}text")}  # noqa: S314


def knowing(*endpoints: str) -> Policy:
    """A policy that has these health endpoints."""
    return replace(POLICY, health_endpoints=dict.fromkeys(endpoints, RULE))


def looks(count: int, *, status: int = 200, subject: str = "api") -> list[Observation]:
    """Looks at a health endpoint, a second apart."""
    return [seen(number, HEALTH, subject, status=status) for number in range(count)]


def test_a_run_of_much_has_a_picture_of_each_kind() -> None:
    for kind in ("promote", "hold", "rollback"):
        account, _ = large(kind)
        assert list(drawn(account)) == [
            "The run's course",
            "health_check_failure",
            "error_rate",
            "How long it took",
            "Right answers a second under the load peak",
            "Errors under the load peak",
        ]
        captions = [one.caption for one in figures_of(account)]
        assert "How long it took: 40 answers under the load peak, none of them beyond" in "".join(
            captions
        )
        assert any("25 page loads, 14 of them beyond the limit" in one for one in captions)


def test_of_little_there_is_none() -> None:
    assert [*figures_of(account_of_run())] == []
    assert [*figures_of(account_of_run(*looks(19)))] == []
    assert [*drawn(account_of_run(*looks(20)))] == OF_HEALTH


def test_each_picture_is_worth_its_own_values() -> None:
    few = [
        *looks(20),
        *(seen(30 + number) for number in range(19)),
        *(second(number) for number in range(19)),
        *(seen(90, ObservationKind.PAGE, "/") for _ in range(19)),
    ]
    assert [*drawn(account_of_run(*few))] == OF_HEALTH


def test_the_course_tells_sweep_checks_failures_and_confirmation() -> None:
    account = account_of_run(
        *looks(20),
        *(seen(40 + number, HEALTH, "api", status=503) for number in range(3)),
        seen(41, ObservationKind.CONTROL, "this machine's loopback", error="refused"),
        outcomes=(
            outcome("validation/api/a.py::test_a", at_s=22),
            outcome("validation/web/a.py::test_b", Outcome.FAILED, at_s=30),
            outcome("validation/web/a.py::test_c", Outcome.NOT_RUN, at_s=39),
        ),
    )
    course = drawn(account)["The run's course"]
    assert {"looks at health", "api", "web", "looks afterwards", "this machine"} <= texts(course)
    assert described(course).startswith("2 checks ended, 1 of them failed")


def test_a_trigger_counts_what_was_bad_and_shows_the_worst_subjects() -> None:
    subjects = [f"service-{number:03}" for number in range(300)]
    account = account_of_run(
        *(one for name in subjects for one in looks(2, subject=name)),
        *(seen(5 + number, HEALTH, "the bad one", status=503) for number in range(3)),
        policy=knowing("the bad one", *subjects),
    )
    figure = drawn(account)["health_check_failure"]
    assert "3 of 603 readings are bad, 3 in a row fire it" in figure.caption
    assert "289 more that were no worse aren't shown" in figure.caption
    names = {one for one in texts(figure) if one.startswith("service-")}
    assert "the bad one" in texts(figure)
    assert len(names) == 11


def test_a_share_is_told_with_its_limit_and_its_gaps() -> None:
    account = account_of_run(
        *(seen(number / 10) for number in range(30)),
        *(seen(60 + number / 10, status=500) for number in range(10)),
        *(seen(70, unobserved="this machine has no network") for _ in range(5)),
    )
    figure = drawn(account)["error_rate"]
    assert "- - limit 5 %" in texts(figure)
    # What could not be looked at is a reading, and part of no share.
    assert "10 of 45 readings are bad" in figure.caption
    # A line of its own on either side of the minute without answers.
    paths = [one.attrib.get("d", "") for one in ET.fromstring(figure.svg).iter(f"{SVG}path")]  # noqa: S314
    assert max(path.count("M") for path in paths) >= 2


@pytest.mark.parametrize("status", [200, 500])
def test_all_at_the_same_time_is_drawn_all_the_same(status: int) -> None:
    at_once = [seen(1, status=status) for _ in range(50)]
    health = [seen(1, HEALTH, "api", status=status) for _ in range(50)]
    assert len(drawn(account_of_run(*at_once, *health))) == 4


def test_what_could_not_be_observed_alone_makes_no_share_and_no_distribution() -> None:
    account = account_of_run(*(seen(number, unobserved="no network") for number in range(50)))
    assert not {"error_rate", "How long it took"} & set(drawn(account))


def test_provoked_and_failed_answers_are_in_no_distribution() -> None:
    account = account_of_run(
        *(seen(number, facts={"provoked": True}, duration_s=9) for number in range(30)),
        *(seen(number, error="refused", status=None, duration_s=9) for number in range(30)),
        *(seen(number, duration_s=0.1) for number in range(25)),
    )
    assert drawn(account)["How long it took"].caption == (
        "How long it took: 25 answers to the checks, none of them beyond the limit"
    )


def test_without_limits_nothing_is_beyond_them() -> None:
    account = account_of_run(
        *(seen(number) for number in range(25)),
        *(second(number) for number in range(25)),
        limits=Limits(),
    )
    all_ = drawn(account)
    assert all_["How long it took"].caption == "How long it took: 25 answers to the checks"
    assert not any("limit" in text for text in texts(all_["Errors under the load peak"]))


def test_without_a_policy_the_course_and_the_answers_are_drawn() -> None:
    account = account_of_run(*looks(5), *(seen(number) for number in range(25)), policy=None)
    assert [*drawn(account)] == ["The run's course", "How long it took"]


def test_a_load_is_told_by_its_seconds() -> None:
    account = account_of_run(
        *(second(number, right=50, wrong=1 if number < 5 else 0) for number in range(300))
    )
    all_ = drawn(account)
    right = all_["Right answers a second under the load peak"]
    assert right.caption.endswith("15000 right answers in 300 s")
    errors = all_["Errors under the load peak"]
    assert errors.caption.endswith("5 of 15005 answers were errors")
    assert "- - limit 0.1 %" in texts(errors)


def test_a_load_without_a_single_answer_has_no_share() -> None:
    account = account_of_run(*(second(number, right=0) for number in range(30)))
    assert "Errors under the load peak" not in drawn(account)


def test_a_picture_that_fails_is_told_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> str:
        raise RuntimeError("no <ink>")

    monkeypatch.setattr(figures, "distribution_plot", fail)
    account = account_of_run(*looks(20), *(seen(number) for number in range(25)))
    last = [*figures_of(account)][-1]
    assert last.svg == ""
    assert last.caption == (
        "How long answers took: this picture could not be drawn (RuntimeError('no <ink>'))"
    )
    assert "no &lt;ink&gt;" in render_page(account, None)


@pytest.mark.parametrize("damage", [{}, {"GET /": {}}, {"GET /": {"right": "x", "wrong": 1}}])
def test_evidence_that_nobody_can_read_ends_no_page(damage: dict[str, object]) -> None:
    seconds = [second(number, facts={"endpoints": damage}) for number in range(30)]
    assert "</html>" in render_page(account_of_run(*seconds), None)


@pytest.mark.parametrize("name", ["a\x00b", "$x^2$", "<script>", "ü\ud800", "", "x" * 300])
def test_whatever_a_subject_is_called_it_is_drawn(name: str) -> None:
    account = account_of_run(
        *(seen(number, HEALTH, name, status=503) for number in range(25)), policy=knowing(name)
    )
    assert "The run's course" in drawn(account)
    assert "<script>" not in drawn(account)["health_check_failure"].svg


def test_hours_of_looks_stay_a_small_picture() -> None:
    account = account_of_run(*looks(5000), *looks(5000, subject="web", status=503))
    for figure in drawn(account).values():
        assert len(figure.svg) < 200_000


def test_a_thousand_checks_are_one_small_picture() -> None:
    outcomes = tuple(
        outcome(f"validation/api/a.py::test_{number}", at_s=number) for number in range(1000)
    )
    assert (
        len(drawn(account_of_run(*looks(20), outcomes=outcomes))["The run's course"].svg) < 100_000
    )


@settings(max_examples=10, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    taken=st.lists(
        st.tuples(st.floats(0, 1e5), st.floats(0, 1e4), st.sampled_from([200, 500, None])),
        min_size=20,
        max_size=60,
    )
)
def test_any_answers_can_be_drawn(taken: list[tuple[float, float, int | None]]) -> None:
    drawn(
        account_of_run(
            *(seen(at, duration_s=taken_s, status=status) for at, taken_s, status in taken)
        )
    )


def test_matplotlib_is_imported_only_for_pictures() -> None:
    code = """
import sys
from tests.reports.pages import account_of_run, seen
from deployment_gate.reports.page.render import render_page
render_page(account_of_run(*(seen(n) for n in range(19))), None)
assert "matplotlib" not in sys.modules
render_page(account_of_run(*(seen(n) for n in range(20))), None)
assert "matplotlib" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
