"""pytest's hooks in the process that controls a run: nothing but wiring."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
from collections.abc import Callable, Generator
from pathlib import Path
from shutil import get_terminal_size
from typing import Any
from warnings import WarningMessage

import pytest

from deployment_gate.evidence import Outcome
from deployment_gate.hooks import COMPLAINTS, interrupt, usage_errors
from deployment_gate.outcomes import OutcomeCollector, failure_message, outcome_of
from deployment_gate.progress import StillRunning
from deployment_gate.reports import terminal
from deployment_gate.reports.account import Account
from deployment_gate.run import CONTROLLER, GateRun


class ControllerHooks:
    """Probing, judging and reporting: in the one process that controls the run."""

    def __init__(self, config: pytest.Config, run: GateRun) -> None:
        self._config = config
        self._run = run
        run.say = self._say
        self._collector = OutcomeCollector()
        self._progress = StillRunning(self._say, told=run.directory.progress)
        self._sigterm_before: Any = signal.SIG_DFL

    def pytest_report_header(self) -> str:
        """What is validated, before anything happens."""
        run = self._run.run
        scope = f"a selection: {run.selection}" if run.selection else f"tier {run.tier}"
        release = f"release {run.release}" if run.release else "no --release named"
        return f"deployment gate: environment {run.environment}, {release}, {scope}"

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Have the target start meanwhile, where it is to be started."""
        self._keep_secrets_off_the_terminal()
        self._sigterm_before = signal.signal(signal.SIGTERM, interrupt)
        self._carry_out(self._run.launch)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell an xdist worker where this run's journals are; plain data, it crosses processes."""
        node.workerinput["deployment_gate"] = {
            "reports": str(self._run.directory.path),
            "day": self._run.run.started.date().isoformat(),
        }

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Checks that share a look share a worker, unless the user says how they are spread."""
        if config.getoption("dist") != "load":
            return None
        from deployment_gate.scheduling import SharedLooks  # noqa: PLC0415  # only xdist has one

        return SharedLooks(config, log, self._run.environment)

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_xdist_node_collection_finished(self, node: Any) -> None:
        """The first worker's plan is everybody's; look at the platform before it is scheduled."""
        if not self._run.is_preflighted:
            self._carry_out(lambda: self._run.preflight(self._run.plan_of_process(node.gateway.id)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Look at the platform before the checks, which need what is seen."""
        self._progress.start()
        if session.items and not session.testsfailed:
            self._carry_out(lambda: self._run.preflight(self._run.plan_of_process(CONTROLLER)))
        # What was loaded stays until the end. Python's collector would walk through all of it
        # again and again, as pytest and the interpreter do when they end: a quarter of a short run.
        gc.freeze()

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> Any:
        """What pytest has no word for is told by its own."""
        outcome = outcome_of(report)
        if outcome not in {Outcome.FLAKY, Outcome.WAIVED, Outcome.NOT_RUN}:
            return None
        words = outcome.replace("_", " ")
        return words, words[0], (words.upper(), {"yellow": True})

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A check began, here or in a worker."""
        self._progress.check_started(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep how each check ended."""
        outcome = self._collector.take(report)
        if outcome is not None:
            self._progress.check_ended(report.nodeid)
            self._run.journal.append(outcome)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that can't be imported hides its checks."""
        if report.failed:
            self._run.trouble.append(
                f"{report.nodeid or 'the collection'} could not be collected: "
                f"{failure_message(report)}. Mend the file: its checks did not run"
            )

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """A worker that died may have taken observations with it; one that ended may complain."""
        if error:
            self._run.trouble.append(
                f"worker {node.gateway.id} died: {error}. Validate again, without -n if it recurs"
            )
            return
        complaints = node.workeroutput.get(COMPLAINTS, [])
        self._run.trouble += [text for text in complaints if text not in self._run.trouble]
        if node.workeroutput["exitstatus"] == pytest.ExitCode.USAGE_ERROR:
            raise pytest.UsageError("\n".join(complaints))

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: WarningMessage) -> None:
        """The terminal lists warnings, wherever they come from."""
        text = str(warning_message.message)
        redacted = self._run.redactor.redact(text)
        if redacted != text:
            warning_message.message = redacted

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(
        self, session: pytest.Session, exitstatus: int
    ) -> Generator[None, object, object]:
        """The outermost wrapper: once all reporters wrote, whose drafts are not trusted."""
        self._progress.stop()
        result: object = None
        try:
            result = yield
        except Exception as error:  # noqa: BLE001  # it must become a hold, whatever it is
            self._run.trouble.append(
                f"a reporter failed with {type(error).__name__}: {error}. "
                "See to that plugin, or leave it out with -p no:NAME"
            )
        account = self._run.finish(int(exitstatus))
        session.exitstatus = account.exit_code
        self._show(account)
        self._announce(account)
        return result

    def pytest_unconfigure(self) -> None:
        """End what was started; pytest ends no session that an error kept from starting."""
        self._progress.stop()
        if self._run.trouble and not self._run.is_finished:
            self._announce(self._run.finish(pytest.ExitCode.USAGE_ERROR))
        self._run.close()
        signal.signal(signal.SIGTERM, self._sigterm_before)

    def _keep_secrets_off_the_terminal(self) -> None:
        """Live logs, and where a run was interrupted, are no reports, which were redacted."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None:
            return
        writer, redact = reporter._tw, self._run.redactor.redact  # noqa: SLF001  # it has no hook
        write = writer.write
        writer.write = lambda text, **markup: write(redact(text), **markup)

    def _carry_out(self, step: Callable[[], None]) -> None:
        """What the user or the target must mend becomes a hold that says so."""
        with usage_errors(self._run.trouble.append, self._run.redactor.redact):
            step()

    def _say(self, text: str) -> None:
        self._write_line(self._run.redactor.redact(f"deployment gate: {text}"))

    def _write_line(self, line: str) -> None:
        manager = self._config.pluginmanager
        reporter = manager.get_plugin("terminalreporter")
        if reporter is None:
            return
        capture = manager.get_plugin("capturemanager")
        # As pytest's own live log does, since a check may be running whose output is captured.
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            reporter.ensure_newline()
            reporter.write_line(line)

    def _announce(self, account: Account) -> None:
        """What is told beside the files, once they are there."""
        from deployment_gate.announcement import (  # noqa: PLC0415  # at the end soon enough
            Audience,
            announce,
        )

        run = self._run
        audience = Audience(
            reports=run.directory.path,
            history=run.history,
            variables=os.environ,
            say=self._say,
            write_line=self._write_line,
            redact=run.redactor.redact,
        )
        announce(account, run.environment, audience)

    def _show(self, account: Account) -> None:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None:
            return
        colour = {terminal.COLOURS[account.verdict.decision]: True}
        reporter.ensure_newline()
        reporter.write_sep("=", "deployment gate")
        reporter.write_line(f"{account.headline}: {account.subject}", bold=True, **colour)
        report = _from_here(self._run.directory.path / "report.html")
        width = get_terminal_size().columns
        for line in terminal.verdict_lines(account, report=report, width=width):
            reporter.write_line(self._run.redactor.redact(line))


class ReporterSilencer:
    """Keeps pytest's own reporters from telling where they wrote: the gate publishes that."""

    def __init__(self, config: pytest.Config, run: GateRun) -> None:
        self._config = config
        self._run = run

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self) -> Generator[None, object, object]:
        """The innermost wrapper: right after the reporters, before the terminal's summary."""
        result = yield
        manager = self._config.pluginmanager
        for plugin in manager.get_plugins():
            match type(plugin).__name__:
                case "LogXML":
                    plugin.logfile = str(self._run.directory.path / "junit.xml")
                case "SelfContainedReport":
                    manager.unregister(plugin)
        return result


def _from_here(path: Path) -> str:
    """`path` as one would type it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
