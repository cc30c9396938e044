"""pytest's hooks, and nothing but wiring."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from shutil import get_terminal_size
from types import FrameType
from typing import Any
from warnings import WarningMessage

import pytest

from deployment_gate import collection
from deployment_gate.attempts import carry_out
from deployment_gate.checks import (
    CheckProcess,
    OutcomeCollector,
    failure_message,
    outcome_of,
    redact_collect_report,
    shorten_traceback,
)
from deployment_gate.environment import Environment
from deployment_gate.errors import GateError
from deployment_gate.evidence import Outcome, PlannedCheck, Redactor
from deployment_gate.parameters import parameters_of
from deployment_gate.progress import StillRunning
from deployment_gate.reports import terminal
from deployment_gate.reports.account import Account
from deployment_gate.reports.html import TITLE, VERDICT
from deployment_gate.run import CONTROLLER, GateRun

COMPLAINTS = "deployment_gate"
"""Under this key of xdist's `workeroutput`, a worker tells what makes the run a hold."""


@contextlib.contextmanager
def usage_errors(complain: Callable[[str], None], redact: Callable[[str], str]) -> Iterator[None]:
    """An error that the user can mend is a hold, and ends pytest with no more than its message."""
    try:
        yield
    except GateError as error:
        complain(redact(str(error)))
        raise pytest.UsageError(redact(str(error))) from None


class CollectionHooks:
    """Which checks there are: in every process that collects."""

    def __init__(
        self,
        environment: Environment,
        *,
        known: list[str],
        take_plan: Callable[[list[PlannedCheck]], None],
        complain: Callable[[str], None],
    ) -> None:
        self._environment = environment
        self._known = known
        self._take_plan = take_plan
        self._complain = complain
        self._redactor = Redactor(environment.secrets)
        self._whole_tier: set[str] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """A misspelt marker is an error before anything is asked."""
        with usage_errors(self._complain, self._redactor.redact):
            collection.refuse_unknown_markers(
                session.config.option.markexpr, session.config.getini("markers")
            )

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """A file that skips itself hides its checks."""
        report = yield
        redact_collect_report(report, self._redactor.redact)
        if report.skipped:
            with usage_errors(self._complain, self._redactor.redact):
                category = collection.category_of(collector)
            if self._environment.covers(category):
                self._complain(
                    f"{report.nodeid} skipped itself, and checks that are to run must run: "
                    f"{failure_message(report)}"
                )
        return report

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Each health endpoint, list, identity and journey is a check of its own."""
        for fixture in metafunc.fixturenames:
            parameters = parameters_of(fixture, self._environment)
            if parameters is not None:
                metafunc.parametrize(fixture, parameters, indirect=True)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Mark each check with its category and bound its time, before pytest selects."""
        with usage_errors(self._complain, self._redactor.redact):
            collection.prepare(items, self._environment, self._redactor)
        self._whole_tier = collection.whole_tier(items)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Once pytest has selected, take out what the environment rules out: the plan."""
        missing = self._whole_tier - {item.nodeid for item in session.items}
        if missing:
            self._complain(
                f"{len(missing)} checks of the tier were taken out, the first of them "
                f"{min(missing)}. Leave out what deselects them, or select by -m, -k or a path"
            )
        with usage_errors(self._complain, self._redactor.redact):
            plan = collection.plan_of(session.items, self._environment, self._known)
        ruled_out = {check.id for check in plan if check.left_out}
        if ruled_out:
            out = [item for item in session.items if item.nodeid in ruled_out]
            session.config.hook.pytest_deselected(items=out)
            session.items[:] = [item for item in session.items if item.nodeid not in ruled_out]
        self._take_plan(plan)


class CheckHooks:
    """Carrying out checks: in every process that does."""

    def __init__(self, process: CheckProcess) -> None:
        self._process = process
        self._timer_settings: Any = None

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """A worker that is ended cleans up, too: what ends a run may end all its processes."""
        if hasattr(session.config, "workerinput"):
            signal.signal(signal.SIGTERM, _interrupt)

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_timeout_set_timer(self, settings: Any) -> None:
        """What bounds the check that begins; further attempts are bounded alike."""
        self._timer_settings = settings

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_timeout_cancel_timer(self) -> None:
        """What is bounded no longer."""
        self._timer_settings = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """A check whose failures a trigger counts is carried out until that is decided."""
        rule = self._process.rule_of(item.nodeid)
        if rule is None:
            return None
        hook = item.ihook
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in carry_out(item, nextitem, rule, self._process, self._timer_settings):
            hook.pytest_runtest_logreport(report=report)
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Requests from here on are this check's."""
        self._process.begin_check(item)
        why = self._process.why_not_run(item.nodeid)
        if why:
            pytest.skip(why)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[object]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """A report is short, and redacted before any reporter sees it."""
        if call.excinfo and not item.config.option.fulltrace:
            shorten_traceback(call.excinfo.value)
        self._process.add_exchanges(item, call.when)
        report = yield
        self._process.note_failure(call, report)
        self._process.finish_report(report)
        return report


class ControllerHooks:
    """Probing, judging and reporting: in the one process that controls the run."""

    def __init__(self, config: pytest.Config, run: GateRun) -> None:
        self._config = config
        self._run = run
        run.say = self._say
        self._collector = OutcomeCollector()
        self._progress = StillRunning(
            self._say, limit_s=run.environment.check_timeout.total_seconds()
        )
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
        self._sigterm_before = signal.signal(signal.SIGTERM, _interrupt)
        self._carry_out(self._run.launch)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell an xdist worker where this run's journals are; plain data, it crosses processes."""
        node.workerinput["deployment_gate"] = {
            "reports": str(self._run.directory.path),
            "day": self._run.run.started.date().isoformat(),
        }

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
        return result

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:
        """Leave a place for a title that says the verdict."""
        report.title = TITLE

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        """Leave a place for the verdict above the table of checks."""
        prefix.append(VERDICT)

    def pytest_unconfigure(self) -> None:
        """End what was started; pytest ends no session that an error kept from starting."""
        self._progress.stop()
        if self._run.trouble and not self._run.is_finished:
            self._run.finish(pytest.ExitCode.USAGE_ERROR)
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
        manager = self._config.pluginmanager
        reporter = manager.get_plugin("terminalreporter")
        if reporter is None:
            return
        capture = manager.get_plugin("capturemanager")
        # As pytest's own live log does, since a check may be running whose output is captured.
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            reporter.ensure_newline()
            reporter.write_line(self._run.redactor.redact(f"deployment gate: {text}"))

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


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM ends the run as Ctrl-C does: with its reports, and with what it started."""
    raise KeyboardInterrupt("SIGTERM")
