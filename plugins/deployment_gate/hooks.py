"""pytest's hooks in each process that collects or carries out checks: nothing but wiring."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Generator, Iterator
from types import FrameType
from typing import Any

import pytest

from deployment_gate import collection
from deployment_gate.attempts import carry_out
from deployment_gate.checks import CheckProcess
from deployment_gate.environment import Environment
from deployment_gate.errors import GateError
from deployment_gate.evidence import PlannedCheck, Redactor
from deployment_gate.outcomes import failure_message, redact_collect_report, shorten_traceback
from deployment_gate.parameters import parameters_of

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
            signal.signal(signal.SIGTERM, interrupt)

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
        self._process.conduct.attempt = 1
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
        self._process.take_recordings(report, below=item.config.invocation_params.dir)
        self._process.note_failure(call, report)
        self._process.finish_report(report)
        return report


def interrupt(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM ends the run as Ctrl-C does: with its reports, and with what it started."""
    raise KeyboardInterrupt("SIGTERM")
