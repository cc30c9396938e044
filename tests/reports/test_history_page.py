"""`index.html`: what a real browser and axe-core make of it, on a phone and a desktop."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser

from deployment_gate.evidence import Outcome
from deployment_gate.reports.history import Entry, Latency, Share, read_history
from deployment_gate.reports.history_page import PAGE, render_history, write_history_page
from deployment_gate.web.accessibility import violations
from tests.reports.browsing import opened
from tests.reports.histories import run, validate, write
from tests.reports.test_page import Reader
from tests.runs import workshop

Scheme = Literal["light", "dark"]
SIZES = [(390, 844), (1280, 800)]
HOSTILE = "<script>document.title='taken'</script><img src=x onerror=alert(1)>\"'&lt;</section>"


def many() -> Iterator[Entry]:
    """Runs of two environments, some of them bad."""
    for number in range(70):
        verdict = {13: "hold", 29: "rollback"}.get(number, "promote")
        yield run(
            f"s{number}",
            verdict,
            minutes=600 * number,
            release=f"1.{number // 2}.0",
            answers=Latency(count=40, p50_s=0.05, p95_s=0.1 + number % 7 / 40),
            pages=Latency(count=9, p50_s=0.5, p95_s=1 + number % 3 / 4),
            errors=Share(count=number % 5 // 4, of=40),
            availability=Share(count=4 if verdict == "rollback" else 8, of=8),
            flaky=("validation/api/test_search.py::test_search_finds_what_is_there[policies]",)
            if number % 9 == 0
            else (),
        )
    yield run("p0", "rollback", environment="production", minutes=90_000)


@pytest.fixture(scope="module")
def page_of_many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of many runs, with the reports of the last one beside it."""
    folder = tmp_path_factory.mktemp("history")
    write(folder, *many())
    reports = folder / "staging"
    reports.mkdir()
    (reports / "report.html").write_text("<title>the report</title>")
    (reports / "verdict.json").write_text(json.dumps({"run": "s69"}))
    return write_history_page(folder)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    chromium: Browser, page_of_many: Path, width: int, height: int, scheme: Scheme
) -> None:
    with opened(chromium, page_of_many, width=width, height=height, color_scheme=scheme) as (
        page,
        complaints,
    ):
        assert violations(page) == ()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}[scheme]
        line = page.locator("figure svg path[stroke^='var(--accent']").first
        colour = line.evaluate("one => getComputedStyle(one).stroke")
        assert colour == {"light": "rgb(5, 80, 174)", "dark": "rgb(121, 192, 255)"}[scheme]
        assert complaints == []


def test_it_reads_without_javascript_and_fetches_nothing(
    chromium: Browser, page_of_many: Path
) -> None:
    text = page_of_many.read_text(encoding="utf-8")
    assert "default-src 'none'; style-src 'sha256-" in text
    assert not re.search(r"<script|<link|<iframe|\sstyle=|\son\w+=|url\((?!#)", text)
    with opened(chromium, page_of_many, java_script_enabled=False) as (page, complaints):
        told = page.locator("body").inner_text()
        assert complaints == []
    for expected in (
        "71 runs, the last of them on",
        "Deployment success rate",
        "33 of 35 releases promoted at last, in 70 runs",
        "Answers, 95th percentile",
        "wanted is at most 200 ms, which 20 missed",
        "test_search_finds_what_is_there[policies]: in 8 of 70 runs",
        "10 earlier ones aren't shown",
    ):
        assert expected in told, expected


def test_each_environment_has_its_verdicts_and_curves_with_their_limits(
    chromium: Browser, page_of_many: Path
) -> None:
    with opened(chromium, page_of_many) as (page, _):
        sections = page.locator("main > section")
        assert sections.locator("h2").all_inner_texts() == ["production", "staging"]
        staging = sections.nth(1)
        assert staging.locator(".strip li").count() == 60
        assert staging.locator(".strip li.rollback").count() == 1
        assert staging.locator("svg[role=img]").count() == 4
        assert "- - limit 200 ms" in staging.locator("svg").first.text_content()
        # A single run makes no line, and its numbers are told all the same.
        assert sections.nth(0).locator("svg").count() == 0
        assert "Last 120 ms; wanted is at most 200 ms" in sections.nth(0).inner_text()


def test_reports_that_are_still_there_are_linked_and_no_others(
    chromium: Browser, page_of_many: Path
) -> None:
    with opened(chromium, page_of_many) as (page, _):
        links = page.locator("main a")
        assert {one.get_attribute("href") for one in links.all()} == {"staging/report.html"}
        links.first.click()
        assert page.title() == "the report"


@pytest.mark.parametrize("name", ["..", "../..", "a/b", "", "\0", "."])
def test_the_name_of_an_environment_leads_to_no_other_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "here/reports"
    folder.mkdir(parents=True)
    for place in (tmp_path, tmp_path / "here"):
        (place / "report.html").write_text("another's")
        (place / "verdict.json").write_text(json.dumps({"run": "a"}))
    write(folder, run("a", environment=name))
    assert "report.html" not in write_history_page(folder).read_text(encoding="utf-8")


def test_whatever_a_line_says_is_text(chromium: Browser, tmp_path: Path) -> None:
    changes = dict.fromkeys(("environment", "release", "tier", "sentence"), HOSTILE)
    write(
        tmp_path,
        run("a", flaky=(HOSTILE,), **changes),
        run("b", flaky=(HOSTILE,), minutes=1, **changes),
    )
    with (tmp_path / "history.jsonl").open("a") as file:
        file.write(f'{{"version": "{HOSTILE}"}}\n')
    path = write_history_page(tmp_path)
    tags = set(Reader(path.read_text(encoding="utf-8")).tags)
    assert not tags & {"script", "img"}
    with opened(chromium, path) as (page, complaints):
        assert page.title() == "Deployments: the history of their validation"
        assert page.locator("h2", has_text="<script>").count() == 1
        assert complaints == []


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    write(tmp_path, run("a"))
    with (tmp_path / "history.jsonl").open("a") as file:
        file.write("nonsense\n")
    text = write_history_page(tmp_path).read_text(encoding="utf-8")
    assert "history.jsonl:2: no line of a history" in text
    assert "staging" in text


def test_without_runs_it_says_so() -> None:
    assert "No run has ended yet" in render_history(read_history([]), {})


def test_each_run_writes_it_anew_with_a_link_to_its_report(tmp_path: Path) -> None:
    with workshop(tmp_path) as shop:
        for env in ("here", "there"):
            exit_code, output = validate(
                shop.folder, "-m", "smoke", "--release=1.5.0", "-p", "no:cacheprovider", env=env
            )
            assert exit_code == 0, output
    text = (tmp_path / "reports" / PAGE).read_text(encoding="utf-8")
    assert 'href="here/report.html"' in text
    assert 'href="there/report.html"' in text
    assert not [one for one in (tmp_path / "reports").iterdir() if one.name.startswith(".")]


def test_a_hold_with_skipped_checks_lists_what_passed(tmp_path: Path) -> None:
    outcomes = {Outcome.PASSED: 2, Outcome.FLAKY: 1, Outcome.SKIPPED: 1}
    write(tmp_path, run("a", "hold", outcomes=outcomes))
    assert "<td>3 of 4</td>" in write_history_page(tmp_path).read_text(encoding="utf-8")
