"""One run of the gate: begin with a hold, look before the checks, finish with the verdict."""

from __future__ import annotations

import contextlib
import os
import platform
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from deployment_gate.confirmation import Confirmation
from deployment_gate.environment import policy_of
from deployment_gate.evidence import (
    Evidence,
    EvidenceError,
    Journal,
    PlannedCheck,
    Record,
    Redactor,
    Run,
    RunEnd,
    merge_journals,
    read_journal,
)
from deployment_gate.identities import Identities
from deployment_gate.judgement import ENDED_NORMALLY
from deployment_gate.judging import give_account
from deployment_gate.lookout import Lookout
from deployment_gate.probes.launch import LaunchedTarget
from deployment_gate.probes.sampler import Sampler
from deployment_gate.reports.account import Account
from deployment_gate.reports.files import ReportDirectory, ReportError, explained, remove_files
from deployment_gate.reports.junit import JUnitError, count_checks
from deployment_gate.reports.publication import (
    Drafts,
    publish,
    publish_what_fits,
    read_drafts,
    render_reports,
)

if TYPE_CHECKING:
    from deployment_gate.collection import Scope
    from deployment_gate.environment import Environment
    from deployment_gate.evidence import Baseline

TOOL = f"pytest-deployment-gate {version('pytest-deployment-gate')}"
USER_AGENT = TOOL.replace(" ", "/")

_WHO = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_USER_ID", "USER", "LOGNAME")
_WHERE = ("GITHUB_WORKFLOW_REF", "CI_JOB_URL", "BUILD_URL")
"""GitHub's, GitLab's and Jenkins' names for who began a pipeline, and for the pipeline."""

CONTROLLER = "controller"
"""The name of the process that probes, judges and reports."""


class _ControllersJournal(Journal):
    """A journal that makes the run a hold where the disk takes no more, and lets it go on."""

    def __init__(self, path: Path, *, redactor: Redactor, complain: Callable[[str], None]) -> None:
        super().__init__(path, redactor=redactor)
        self._complain = complain

    def append(self, *records: Record) -> None:
        """Write the records; what can't be written down counts as not seen."""
        with self._complaining():
            super().append(*records)

    def close(self) -> None:
        """Close the file."""
        with self._complaining():
            super().close()

    @contextlib.contextmanager
    def _complaining(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._complain(
                f"{self.path}: what was seen can't be written down ({error.strerror}). "
                "Make room there, then validate again"
            )


@dataclass(kw_only=True)
class GateRun:
    """What the controlling process knows of its run.

    Attributes:
        environment: What is validated.
        directory: Where the reports go.
        run: Which run this is.
        project: The folder that launch commands are started in.
        say: Tells the person at the terminal what is going on.
        redactor: Keeps the environment's secrets out of every file.
        copies: Where else the user wants a report: its name -> a path.
        history: The folder of the history; None where none is kept.
        before: What a run before the deploy had seen.
        confirms: Whether what is suspected is looked into.
        trouble: What went wrong with the run itself.
        is_finished: Whether the verdict was given.
    """

    environment: Environment
    directory: ReportDirectory
    run: Run
    project: Path
    redactor: Redactor
    say: Callable[[str], None] = print
    copies: Mapping[str, Path] = field(default_factory=dict)
    history: Path | None = None
    before: Baseline | None = None
    confirms: bool = True
    trouble: list[str] = field(default_factory=list)
    is_finished: bool = False
    _lookout: Lookout | None = None
    _launched: LaunchedTarget | None = None

    def __post_init__(self) -> None:
        self.policy = policy_of(self.environment)

    def begin(self) -> None:
        """Remove the last run's reports and put "hold: run incomplete" in their place.

        Raises:
            ReportError: The folder can't be written to.
        """
        self.directory.claim()
        remove_files(self.copies.values())
        self.directory.clear()
        texts = render_reports(self._judge(Evidence(run=self.run)), Drafts())
        try:
            publish(texts, self.directory, copies=self.copies)
        except ReportError:
            publish_what_fits(texts, self.directory, copies=self.copies, instead_of={})
            raise
        path = self.directory.journal_of(CONTROLLER)
        with explained(path):
            self.journal = _ControllersJournal(
                path, redactor=self.redactor, complain=self._note_trouble
            )
        self.journal.append(self.run, *([self.before] if self.before else []))
        if self.trouble:
            raise ReportError(self.trouble[0])

    def launch(self) -> None:
        """Start the environment's target where it says how and none runs yet.

        Raises:
            LaunchError: It can't be started.
        """
        launch = self.environment.launch
        if launch is None:
            return
        self._launched = LaunchedTarget.start(launch, directory=self.project)
        if self._launched:
            self.say(f"{self.environment.name} isn't running; starting it: {launch.command}")

    @property
    def is_preflighted(self) -> bool:
        """Whether the platform was looked at."""
        return self._lookout is not None

    def preflight(self, plan: Sequence[PlannedCheck]) -> None:
        """What comes before the checks: the target ready, its release, the health sweep.

        Raises:
            LaunchError: The target that was started didn't get ready.
        """
        self._lookout = Lookout(
            self.environment,
            self.policy,
            sampler=Sampler(
                concurrency=self.environment.sampler.concurrency, user_agent=USER_AGENT
            ),
            observe=self.journal.append,
            headers_of=Identities(
                self.environment,
                observe=self.journal.append,
                keep_secret=self.redactor.add,
                user_agent=USER_AGENT,
            ).headers,
        )
        if self._launched:
            self._launched.wait_until_ready()
        seen = self._lookout.look(
            (check.subject for check in plan if check.subject and not check.left_out),
            with_release=self.run.release is not None,
        )
        if self.confirms:
            self._confirmation(self._lookout).of_attempts(
                Evidence(
                    run=self.run, before=self.before, plan=tuple(plan), observations=tuple(seen)
                )
            )

    def plan_of_process(self, process: str) -> list[PlannedCheck]:
        """The plan that a process wrote down when it had collected."""
        return [
            record
            for record in read_journal(self.directory.journal_of(process))
            if isinstance(record, PlannedCheck)
        ]

    def finish(self, exit_status: int) -> Account:
        """Look at the platform again, judge all that was seen, publish the reports.

        What goes wrong on the way makes the verdict a hold.

        Args:
            exit_status: pytest's own, before the verdict.
        """
        self.is_finished = True
        evidence = self._take_evidence(is_whole=exit_status in ENDED_NORMALLY)
        end = RunEnd(at=datetime.now(UTC), exit_status=exit_status)
        evidence = replace(evidence, end=end)
        self.journal.append(end)
        self.journal.close()
        drafts = read_drafts(self.directory)
        try:
            self._compare_counts(evidence, drafts)
        except JUnitError as error:
            self.trouble.append(str(error))
            drafts = replace(drafts, junit=None)
        account = self._judge(evidence)
        texts = render_reports(account, drafts)
        clean = self._clean(texts)
        leaking = [name for name, text in texts.items() if clean[name] != text]
        if leaking:
            self.trouble.append(
                f"a secret was found in {', '.join(leaking)} and removed. "
                "Find the check that put it there, and keep it out at its source"
            )
            account = self._judge(evidence)
            clean = self._clean(render_reports(account, drafts))
        try:
            publish(clean, self.directory, copies=self.copies)
            self.directory.drop_working_folders()
        except ReportError as error:
            self.trouble.append(str(error))
            account = self._judge(evidence)
            # The page is by far the largest; without it the others may fit, and say why.
            instead = self._clean(render_reports(account, replace(drafts, html=None)))
            publish_what_fits(instead, self.directory, copies=self.copies, instead_of=clean)
        return account

    def close(self) -> None:
        """End what this run started, and let others write where it wrote."""
        self.directory.release()
        if self._launched:
            self._launched.stop()
            self._launched = None

    def _take_evidence(self, *, is_whole: bool) -> Evidence:
        """All that was seen, after a last look where the run is whole."""
        if self._lookout and is_whole:
            self._lookout.look_again(with_release=self.run.release is not None)
        try:
            evidence = merge_journals(self.directory.journals())
        except EvidenceError as error:
            self.trouble.append(str(error))
            return Evidence(run=self.run, before=self.before)
        if self._lookout and is_whole and self.confirms:
            return self._confirmation(self._lookout).of_all(evidence)
        return evidence

    def _note_trouble(self, text: str) -> None:
        if text not in self.trouble:
            self.trouble.append(text)

    def _confirmation(self, lookout: Lookout) -> Confirmation:
        return Confirmation(self.policy, lookout, say=self.say)

    def _clean(self, texts: Mapping[str, str]) -> dict[str, str]:
        return {name: self.redactor.redact(text) for name, text in texts.items()}

    def _judge(self, evidence: Evidence) -> Account:
        if evidence.end is not None:
            end = replace(evidence.end, trouble=tuple(self.trouble))
            evidence = replace(evidence, end=end)
        return give_account(self.environment, evidence, redact=self.redactor.redact)

    def _compare_counts(self, evidence: Evidence, drafts: Drafts) -> None:
        """The files must agree with the evidence: a report that lost a check looks green."""
        counted = count_checks(drafts.junit) if drafts.junit else 0
        reported = len(evidence.outcomes)
        has_ended_normally = evidence.end is not None and evidence.end.exit_status in ENDED_NORMALLY
        if has_ended_normally and counted != reported:
            self.trouble.append(
                f"the JUnit report holds {counted} checks, the evidence {reported}. Validate "
                "again, without the other plugins that change reports"
            )


def new_run(environment: str, *, release: str | None, scope: Scope) -> Run:
    """A run that begins now."""
    return Run(
        id=uuid.uuid4().hex,
        environment=environment,
        started=datetime.now(UTC),
        release=release,
        tier=scope.tier,
        selection=scope.selection,
        tool=TOOL,
        by=begun_by(os.environ),
    )


def begun_by(variables: Mapping[str, str]) -> str:
    """Who began a run and where: a pipeline says so by variables of its own, a person by theirs.

    Args:
        variables: The process environment.
    """
    who = next((variables[name] for name in _WHO if variables.get(name)), "")
    where = next((variables[name] for name in _WHERE if variables.get(name)), platform.node())
    return f"{who} on {where}" if who and where else who or where
