"""Each fault of the sandbox's web interface, and exactly the checks that must fail on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PAGES = ("search", "login")
VIEWS = tuple(f"{page}-{device}" for page in PAGES for device in ("phone", "desktop"))


def each(check: str, names: tuple[str, ...] = PAGES) -> set[str]:
    return {f"{check}[{name}]" for name in names}


@dataclass(frozen=True)
class Expected:
    """What a fault must lead to: the checks that fail, or only warn, and what is said of it."""

    fault: str
    because: str
    failed: set[str] = field(default_factory=set)
    warned: set[str] = field(default_factory=set)


PHONES = tuple(f"{page}-phone" for page in PAGES)
SHIFT = "what was painted moved by"
EXPECTED = [
    Expected(
        "broken-javascript",
        "login (/login) on desktop: Cannot read properties of undefined",
        {
            "page_throws_nothing[login]",
            "the_login_page_lets_in",
            # Its button stays grey.
            *each("page_looks_as_approved", ("login-phone", "login-desktop")),
        },
    ),
    Expected(
        "missing-script",
        "/static/shortcuts.js was answered with a page: it is missing",
        each("page_gets_all_that_it_needs"),
    ),
    Expected(
        "console-error",
        "Preferences can't be read",
        each("page_writes_no_error_to_the_console"),
    ),
    Expected(
        "missing-image",
        "/static/logo.svg was answered 404",
        # On a small page it is enough to be seen.
        each("page_gets_all_that_it_needs") | {"page_looks_as_approved[login-phone]"},
    ),
    Expected(
        "overflow",
        "the page scrolls 202 px sideways, because of p",
        each("nothing_is_wider_than_the_screen", PHONES) | each("page_looks_as_approved", PHONES),
    ),
    Expected(
        "slow-page=2.5",
        "2 of 2 loads took longer than 2 s",
        each("page_is_there_in_time") | each("page_feels_quick_and_steady"),
    ),
    Expected(
        "inaccessible-form",
        "Form elements must have labels (critical, label)",
        # Who looks for the field by its label doesn't find it either.
        {"page_can_be_used_by_everybody[search]", "journey[find_and_read]"},
    ),
    Expected("layout-shift", SHIFT, each("page_feels_quick_and_steady")),
    Expected(
        "visual-change",
        "differ from the approved picture; at most 0.10%",
        each("page_looks_as_approved", VIEWS),
    ),
    Expected(
        "login-refused",
        'which shows "body.client_id: Field required"',
        {"the_login_page_lets_in"},
    ),
    Expected(
        "third-party",
        "asks cdn.example.net, which the environment doesn't list",
        warned=each("page_depends_on_no_other_hosts"),
    ),
    Expected(
        "slow-interaction",
        "clicks nothing moved for 0.6",
        {"what_is_clicked_shows_it_soon[find_and_read]"},
    ),
    Expected(
        "undead-session",
        'after signing out, the back button leads to search again, which shows "Search"',
        {"who_signed_out_stays_out"},
    ),
]
# None of a group hides what another one leads to.
TOGETHER = [
    "broken-javascript",
    "missing-script console-error",
    "missing-image slow-interaction",
    "overflow inaccessible-form",
    "slow-page=2.5",
    "layout-shift undead-session",
    "visual-change third-party",
    "login-refused",
]
# Figures have no picture, and nor has what only warns.
WITHOUT_PICTURE = {"slow-page=2.5", "layout-shift", "slow-interaction", "third-party"}


@pytest.fixture
def look(target: Any, run_gate: Callable[..., Any], environments: Path) -> Callable[..., Any]:
    """Run the frontend validation against a fault, with approved pictures of the healthy pages."""

    def run(faults: str, *arguments: str) -> Any:
        if not (environments / "pictures").exists():
            approve = ("--approve-screenshots", "-k", "looks_as_approved")
            run_gate(*approve, env="pages", marker="frontend")
        for fault in faults.split():
            target.set_fault(fault)
        return run_gate(*arguments, env="pages", marker="frontend")

    return run


@pytest.mark.parametrize("group", TOGETHER)
def test_faults_of_the_pages_fail_their_own_checks_only(
    group: str, look: Callable[..., Any]
) -> None:
    expected = [one for one in EXPECTED if one.fault in group.split()]
    # A dozen links and looks at a page that takes so long each tell nothing new.
    few = ["-k", "test_speed or test_pages and not links"] if "slow-page" in group else []
    drill = look(group, *few)

    ended = drill.outcomes.items()
    warned = {name for one in expected for name in one.warned}
    failed = {name for one in expected for name in one.failed}
    assert {name for name, outcome in ended if outcome == "warned"} == warned
    assert drill.unwell - warned == failed, drill.output
    told = "\n".join([drill.reasons, *drill.verdict["notes"]])
    assert [one.fault for one in expected if one.because not in told] == []
    assert drill.exit_code == 1
    has_picture = "data:image/png;base64" in (drill.reports / "report.html").read_text()
    assert has_picture == (not WITHOUT_PICTURE.issuperset(group.split()))
    if group in {"broken-javascript", "login-refused"}:
        assert any(
            "nobody could sign in as analyst" in reason for reason in drill.reasons.splitlines()
        )


def test_every_fault_of_the_pages_is_drilled() -> None:
    assert sorted(" ".join(TOGETHER).split()) == sorted(one.fault for one in EXPECTED)


def test_healthy_pages_fail_nothing(look: Callable[..., Any]) -> None:
    drill = look("")

    assert drill.unwell == set(), drill.output
    assert drill.exit_code == 0
