"""What a run before the deploy saw isn't blamed on what was deployed."""

from __future__ import annotations

import shutil
from itertools import repeat
from typing import TYPE_CHECKING

import pytest

from tests.plugin.conftest import Reply

if TYPE_CHECKING:
    from pathlib import Path

    from tests.plugin.conftest import Project, Target

CHECK = """
    def test_orders(api):
        assert api.get("/orders").status_code == 200, "no orders"

    def test_it():
        pass
"""
FAILING = Reply(status=503)


@pytest.fixture
def shop(project: Project) -> Project:
    """A project with an API, which isn't a required category."""
    project.environment("api: {base_url: TARGET}\n")
    project.check(CHECK, category="api")
    return project


def keep(project: Project) -> Path:
    """Keep the reports of the run that was just made."""
    return project.path / shutil.copytree(project.path / "reports/here", project.path / "before")


def test_what_failed_before_holds_as_pre_existing_and_rolls_nothing_back(
    shop: Project, target: Target
) -> None:
    target.answers["/health/api"] = repeat(FAILING)
    before = shop.run("--release=1.4.0")
    assert before.exit_code == 10, before.output
    folder = keep(shop)
    for given in (folder, folder / "evidence.jsonl"):
        done = shop.run("--release=1.5.0", f"--baseline={given}", "-n", "2")
        assert done.exit_code == 1, done.output
        assert "(pre-existing: it did in run" in done.reports.why
        assert "pre-existing: api_service failed before the deploy" in done.reports["summary.md"]
    # Judged again, the same comes of it: what was before is a part of the evidence.
    assert [record["type"] for record in done.reports.evidence][:2] == ["run", "baseline"]


def test_errors_where_there_were_none_before_are_said_as_such(
    shop: Project, target: Target
) -> None:
    assert shop.run().exit_code == 0
    keep(shop)
    target.answers["/orders"] = repeat(FAILING)
    done = shop.run("--baseline=before")
    assert done.exit_code == 1
    (note,) = (one for one in done.reports.verdict["notes"] if "errors" in one)
    assert note.startswith("no errors in 1 answers before the deploy")
    assert note.endswith("1 in 1 after it")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--release=1.5.0"], "is of release 1.5.0 itself, whose own faults it would excuse"),
        (["--baseline=before/evidence.jsonl"], "are both of one kind"),
        (["--env=there"], "is of environment here, not of there"),
    ],
)
def test_a_baseline_that_proves_nothing_is_refused(
    shop: Project, arguments: list[str], said: str
) -> None:
    shop.environment(name="there")
    shop.run("--release=1.5.0")
    keep(shop)
    done = shop.run("--baseline=before", *arguments)
    assert done.exit_code == 4, done.output
    assert said in done.output


def test_a_baseline_that_did_not_end_normally_is_refused(shop: Project) -> None:
    shop.check('def test_it():\n    pytest.exit("enough")\n', category="api", name="end")
    shop.run()
    keep(shop)
    done = shop.run("--baseline=before")
    assert done.exit_code == 4
    assert "that run did not end normally. Name the evidence.jsonl of a run from right before" in (
        done.output
    )
