"""What the last run left where this one will write, known before anything heavy is imported."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from deployment_gate.reports.files import (
    METRICS,
    REPORTS,
    ReportDirectory,
    ReportError,
    remove_files,
)

if TYPE_CHECKING:
    from argparse import Namespace

    import pytest


def remove_leftovers(config: pytest.Config, options: Namespace) -> None:
    """Remove the last run's reports, unless pytest only tells what there is.

    A conftest that can't be imported, or an option that nobody knows, ends pytest before the gate
    begins its run; a promote of yesterday would be taken for the answer. Where another process is
    writing, a worker's controller say, all stays.
    """
    if not options.env or is_explaining(options) or options.report_dir == "":
        return
    directory = report_directory(config, options, options.env)
    with contextlib.suppress(ReportError):
        if directory.path.is_dir():
            directory.claim()
        remove_files(copies_of(config, options).values())
        # The evidence may be named as this run's baseline, and is no answer by itself.
        others = {*REPORTS, METRICS} - {"evidence.jsonl"}
        remove_files(directory.path / name for name in others)
    directory.release()


def report_directory(config: pytest.Config, options: Namespace, name: str) -> ReportDirectory:
    """Where the reports of the environment called `name` go."""
    given = options.report_dir
    path = config.invocation_params.dir / given if given else Path("reports", Path(name).name)
    return ReportDirectory((config.rootpath / path).resolve())


def copies_of(config: pytest.Config, options: Namespace) -> dict[str, Path]:
    """Where else the user wants a report: its name -> a path."""
    here = config.invocation_params.dir
    named = {"junit.xml": "xmlpath", "report.html": "htmlpath"}
    asked = {name: getattr(options, option, None) for name, option in named.items()}
    return {
        name: here / os.path.expandvars(Path(path).expanduser())
        for name, path in asked.items()
        if path
    }


def is_explaining(options: Namespace) -> bool:
    """Whether pytest only tells what there is, so that nothing is asked and no report touched."""
    names = ("help", "version", "markers", "collectonly", "cacheshow")
    fixtures = ("showfixtures", "show_fixtures_per_test")
    return any(getattr(options, name, False) for name in (*names, *fixtures))
