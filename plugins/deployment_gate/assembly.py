"""Puts a run together from pytest's configuration: paths, options, processes."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from deployment_gate import (
    api_fixtures,
    data_fixtures,
    fixtures,
    load_fixtures,
    security_fixtures,
    web_fixtures,
)
from deployment_gate.checks import Beginning, CheckProcess
from deployment_gate.collection import scope_of
from deployment_gate.controller import ControllerHooks, ReporterSilencer
from deployment_gate.environment import environment_names, load_environment
from deployment_gate.errors import GateError
from deployment_gate.evidence import Journal, Redactor
from deployment_gate.hooks import COMPLAINTS, CheckHooks, CollectionHooks
from deployment_gate.judging import is_evidence, read_baseline
from deployment_gate.reports.files import TRACES, ReportDirectory, ReportError, remove_files
from deployment_gate.reports.leftovers import copies_of, is_explaining, report_directory
from deployment_gate.run import CONTROLLER, GateRun, new_run
from deployment_gate.turns import Turns

if TYPE_CHECKING:
    import pytest

    from deployment_gate.environment import Environment
    from deployment_gate.evidence import Baseline
    from deployment_gate.openapi import Document


class EmptyOptionError(GateError):
    """An option was given without a value."""


class BaselineError(GateError):
    """What is named as a baseline can't be one."""


class PluginMissingError(GateError):
    """A pytest plugin that the gate stands on isn't there."""


class RecordingError(GateError):
    """What is to be recorded of a browser can't be freed of secrets."""


def bring_in(config: pytest.Config, *, default_environment: str) -> None:
    """Load the environment and register the hooks that this process needs.

    Raises:
        EmptyOptionError: An option has no value.
        PluginMissingError: A plugin that the gate stands on was switched off.
        RecordingError: Videos or uncovered screenshots were asked for.
        EnvironmentFileError: There is no such environment, or its file can't be understood.
        DocumentError: The baseline can't be read.
        JudgingError: The baseline isn't of a whole run of this environment, or of this release.
        ReportError: The report folder can't be written to.
    """
    name = config.option.env or default_environment
    copies = copies_of(config, config.option)
    try:
        _refuse_empty_options(config)
        _bring_in(config, name)
    except GateError as error:
        if not (is_explaining(config.option) or hasattr(config, "workerinput")):
            # A promote that the last run left must not be taken for this one's.
            remove_files(copies.values())
            is_known = "" not in {config.option.env, config.option.report_dir}
            # What can't be written to may be another run's.
            if is_known and not isinstance(error, ReportError):
                report_directory(config, config.option, name).remove_reports()
        raise


def _refuse_empty_options(config: pytest.Config) -> None:
    for option in ("env", "env_dir", "release", "baseline", "report_dir"):
        if config.getoption(option) in ("", [""]):
            # An unset variable of a pipeline must not validate something else than it means.
            raise EmptyOptionError(
                f"--{option.replace('_', '-')} is empty. Give it a value, or leave it out"
            )


def _bring_in(config: pytest.Config, name: str) -> None:
    _refuse_to_go_without(config, "terminal", "timeout", "html", "metadata", "junitxml")
    folder = _environments(config)
    environment = load_environment(name, folder, variables=os.environ)
    if config.pluginmanager.has_plugin("playwright"):
        _take_over_recordings(config)
    earlier = _take_evidence_before(config)
    before = read_baseline(earlier, environment, release=config.option.release) if earlier else None
    plugins = config.pluginmanager
    plugins.register(fixtures, "deployment_gate.fixtures")
    plugins.register(api_fixtures, "deployment_gate.api_fixtures")
    plugins.register(data_fixtures, "deployment_gate.data_fixtures")
    plugins.register(web_fixtures, "deployment_gate.web_fixtures")
    for module in security_fixtures.MODULES:
        plugins.register(module, module.__name__)
    plugins.register(load_fixtures, "deployment_gate.load_fixtures")
    process = None if is_explaining(config.option) else _process(config, environment, before)
    if process:
        process.baseline = _baseline(config)
        process.earlier = earlier
        config.stash[fixtures.process_key] = process
        plugins.register(CheckHooks(process), "deployment_gate.checks")
    plugins.register(
        CollectionHooks(
            environment,
            known=environment_names(folder),
            take_plan=process.take_plan if process else lambda _plan: None,
            complain=process.complain if process else lambda _text: None,
        ),
        "deployment_gate.collection",
    )


def _take_over_recordings(config: pytest.Config) -> None:
    """Have pytest-playwright keep traces of failing checks, where only the gate sees them.

    The gate takes the secrets out and moves them into the reports; the pictures are its own, in
    which secrets are covered.

    Raises:
        RecordingError: Something else was asked for, which can't be freed of secrets.
    """
    option = config.option
    for name, asked, harmless in (
        ("--video", option.video, {"off"}),
        ("--screenshot", option.screenshot, {"off", "only-on-failure"}),
    ):
        if asked not in harmless:
            raise RecordingError(
                f"{name}={asked}: secrets can't be taken out of it afterwards. Leave it out: of "
                "each failing check the gate keeps a picture and a trace, both without secrets"
            )
    option.screenshot = "off"
    is_told = any(str(one).startswith("--tracing") for one in config.invocation_params.args)
    if not (is_told or hasattr(config, "workerinput")):
        option.tracing = "retain-on-failure"
    folder = tempfile.mkdtemp(prefix="recordings-")
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    # Below it, since pytest-playwright makes its own folder anew, for everybody to read.
    option.output = str(Path(folder, "output"))


def _environments(config: pytest.Config) -> Path:
    given = config.option.env_dir
    return config.invocation_params.dir / given if given else config.rootpath / "environments"


def _pictures(config: pytest.Config, environment: Environment) -> Path:
    """The folder of the pictures that were approved for an environment, beside its file."""
    return _environments(config) / "pictures" / environment.name


def _baseline(config: pytest.Config) -> Document | None:
    """The description that the release before was served with, where one was given."""
    given = config.option.baseline
    if not given:
        return None
    from deployment_gate.openapi import read_document  # noqa: PLC0415  # few runs have one

    return read_document(config.invocation_params.dir / given[0])


def _take_evidence_before(config: pytest.Config) -> Path | None:
    """Where that of a run before the deploy is; what is left of the option are other documents.

    Raises:
        BaselineError: There is more than one baseline of a kind.
    """
    paths = [config.invocation_params.dir / given for given in config.option.baseline or ()]
    evidence = [path for path in paths if is_evidence(path)]
    documents = [str(path) for path in paths if path not in evidence]
    if len(evidence) > 1 or len(documents) > 1:
        twice = evidence if len(evidence) > 1 else documents
        raise BaselineError(
            f"--baseline: {twice[0]} and {twice[1]} are both of one kind. Name one evidence.jsonl "
            "and one OpenAPI document at most"
        )
    config.option.baseline = documents or None
    return evidence[0] if evidence else None


def _refuse_to_go_without(config: pytest.Config, *names: str) -> None:
    for name in names:
        if not config.pluginmanager.has_plugin(name):
            raise PluginMissingError(
                f"the gate needs the pytest plugin {name!r}: install it, or leave out -p no:{name}"
            )


def _process(
    config: pytest.Config, environment: Environment, before: Baseline | None
) -> CheckProcess:
    """This process as one that carries out checks; the controlling one begins the run, too."""
    if hasattr(config, "workerinput"):
        return _worker_process(config, environment)
    run = _begin_run(config, environment, before)
    plugins = config.pluginmanager
    plugins.register(ControllerHooks(config, run), "deployment_gate.controller")
    plugins.register(ReporterSilencer(config, run), "deployment_gate.reporter_silencer")
    return CheckProcess(
        environment,
        beginning=Beginning(
            sweep=run.journal.path,
            day=run.run.started.date(),
            confirms=run.confirms,
            traces=run.directory.path / TRACES,
            pictures=_pictures(config, environment),
            progress=run.directory.progress,
        ),
        journal=run.journal,
        redactor=run.redactor,
        complain=run.trouble.append,
    )


def _begin_run(config: pytest.Config, environment: Environment, before: Baseline | None) -> GateRun:
    """The run of the controlling process, with "hold: run incomplete" in place.

    pytest's own reporters are led to a staging folder; what they write is published at the end,
    beside what the user named by `--junitxml` and `--html`.
    """
    directory = report_directory(config, config.option, environment.name)
    option = config.option
    copies = copies_of(config, config.option)
    option.xmlpath = str(directory.staging / "junit.xml")
    option.htmlpath = str(directory.staging / "report.html")
    option.self_contained_html = True
    if option.tbstyle == "auto":
        option.tbstyle = "short"
    run = GateRun(
        environment=environment,
        directory=directory,
        run=new_run(environment.name, release=option.release, scope=scope_of(config)),
        project=config.rootpath,
        redactor=Redactor(environment.secrets),
        copies=copies,
        # All environments have one, unless the reports are wanted elsewhere.
        history=directory.path if option.report_dir else directory.path.parent,
        before=before,
        confirms=option.confirm == "on",
    )
    run.begin()
    return run


def _worker_process(config: pytest.Config, environment: Environment) -> CheckProcess:
    """An xdist worker, with a journal of its own beside the controller's."""
    told: dict[str, str] = config.workerinput["deployment_gate"]  # type: ignore[attr-defined]  # xdist's
    output: dict[str, list[str]] = config.workeroutput  # type: ignore[attr-defined]  # xdist's
    worker: str = config.workerinput["workerid"]  # type: ignore[attr-defined]  # xdist's
    directory = ReportDirectory(Path(told["reports"]))
    redactor = Redactor(environment.secrets)
    config.pluginmanager.register(Turns(directory.journal), "deployment_gate.turns")
    return CheckProcess(
        environment,
        beginning=Beginning(
            sweep=directory.journal_of(CONTROLLER),
            day=date.fromisoformat(told["day"]),
            confirms=config.option.confirm == "on",
            traces=directory.path / TRACES,
            pictures=_pictures(config, environment),
            progress=directory.progress,
        ),
        journal=Journal(directory.journal_of(worker), redactor=redactor),
        redactor=redactor,
        complain=output.setdefault(COMPLAINTS, []).append,
    )
