"""One run of the gate: begin with a hold, look before the checks, finish with the verdict."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from deployment_gate.environment import Category, policy_of
from deployment_gate.evidence import (
    Evidence,
    Journal,
    PlannedCheck,
    Redactor,
    Run,
    RunEnd,
    merge_journals,
    read_journal,
    write_evidence,
)
from deployment_gate.judgement import judge
from deployment_gate.preflight import Preflight
from deployment_gate.probes.launch import LaunchedTarget
from deployment_gate.probes.sampler import Sampler
from deployment_gate.reports.account import Account
from deployment_gate.reports.files import ReportDirectory, ReportError, write_atomically
from deployment_gate.reports.html import render_page, render_verdict_block
from deployment_gate.reports.junit import JUnitError, count_checks, finish_junit
from deployment_gate.reports.summary import render_summary
from deployment_gate.reports.verdict_file import render_verdict

if TYPE_CHECKING:
    from deployment_gate.collection import Scope
    from deployment_gate.environment import Environment

TOOL = f"pytest-deployment-gate {version('pytest-deployment-gate')}"
USER_AGENT = TOOL.replace(" ", "/")

CONTROLLER = "controller"
"""The name of the process that probes, judges and reports."""


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
        trouble: What went wrong with the run itself.
    """

    environment: Environment
    directory: ReportDirectory
    run: Run
    project: Path
    redactor: Redactor
    say: Callable[[str], None] = print
    copies: Mapping[str, Path] = field(default_factory=dict)
    trouble: list[str] = field(default_factory=list)
    _preflight: Preflight | None = None
    _launched: LaunchedTarget | None = None
    _account: Account | None = None

    def __post_init__(self) -> None:
        self.policy = policy_of(self.environment)

    def begin(self) -> None:
        """Remove the last run's reports and put "hold: run incomplete" in their place.

        Raises:
            ReportError: The folder can't be written to.
        """
        self.directory.clear()
        evidence = Evidence(run=self.run)
        self._publish(self._judge(evidence), evidence, junit=None, html=None)
        self.journal = Journal(self.directory.journal_of(CONTROLLER), redactor=self.redactor)
        self.journal.append(self.run)

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
        return self._preflight is not None

    def preflight(self, plan: Sequence[PlannedCheck]) -> None:
        """What comes before the checks: the target ready, its release, the health sweep.

        Raises:
            LaunchError: The target that was started didn't get ready.
        """
        self._preflight = Preflight(
            self.environment,
            self.policy,
            sampler=Sampler(
                concurrency=self.environment.sampler.concurrency, user_agent=USER_AGENT
            ),
            observe=self.journal.append,
            say=self.say,
        )
        if self._launched:
            self._launched.wait_until_ready()
        self._preflight.look(
            (check.subject for check in plan if check.subject and not check.left_out),
            with_release=self.run.release is not None,
        )

    def plan_of_process(self, process: str) -> list[PlannedCheck]:
        """The plan that a process wrote down when it had collected."""
        return [
            record
            for record in read_journal(self.directory.journal_of(process))
            if isinstance(record, PlannedCheck)
        ]

    def judge_evidence(self, exit_status: int) -> Account:
        """Look at the release again, then judge all that was seen.

        Args:
            exit_status: pytest's own, before the verdict.
        """
        if self._preflight and self.run.release is not None:
            self._preflight.look_at_release_again()
        self.journal.append(RunEnd(at=datetime.now(UTC), exit_status=exit_status))
        evidence = merge_journals(sorted(self.directory.journal.glob("*.jsonl")))
        self._account = self._judge(self._with_trouble(evidence))
        return self._account

    def finish(self) -> Account:
        """Publish the reports; what goes wrong on the way makes the verdict a hold."""
        account = self._account
        if account is None:
            raise RuntimeError("judge_evidence comes before finish")
        junit = self._staged("junit.xml")
        html = self._staged("report.html")
        self._compare_counts(account, junit)
        if self.trouble:
            before = render_verdict_block(account)
            account = self._judge(self._with_trouble(account.evidence))
            html = html.replace(before, render_verdict_block(account)) if html else None
        self.journal.close()
        try:
            account = self._publish(account, account.evidence, junit=junit, html=html)
            self.directory.drop_working_folders()
        except ReportError as error:
            self.trouble.append(str(error))
            account = self._judge(self._with_trouble(account.evidence))
        self._account = account
        return account

    def close(self) -> None:
        """End what this run started."""
        if self._launched:
            self._launched.stop()
            self._launched = None

    def _judge(self, evidence: Evidence) -> Account:
        environment = self.environment
        return Account(
            run=self.run,
            verdict=judge(self.policy, evidence),
            evidence=evidence,
            not_covered=(*environment.not_covered(), *_unvisited(environment, evidence)),
            targets={name: str(one.url) for name, one in environment.health_endpoints.items()},
        )

    def _with_trouble(self, evidence: Evidence) -> Evidence:
        if not self.trouble or evidence.end is None:
            return evidence
        return replace(evidence, end=replace(evidence.end, trouble=tuple(self.trouble)))

    def _staged(self, name: str) -> str | None:
        path = self.directory.staging / name
        return path.read_text(encoding="utf-8") if path.exists() else None

    def _compare_counts(self, account: Account, junit: str | None) -> None:
        """The files must agree with the evidence: a report that lost a check looks green."""
        end = account.evidence.end
        if end is None or end.exit_status not in {0, 1}:
            return
        reported = len(account.evidence.outcomes)
        try:
            counted = count_checks(junit) if junit else 0
        except JUnitError as error:
            self.trouble.append(str(error))
            return
        if counted != reported:
            self.trouble.append(f"the JUnit report holds {counted} checks, the evidence {reported}")

    def _publish(
        self, account: Account, evidence: Evidence, *, junit: str | None, html: str | None
    ) -> Account:
        """Write the five files, and the copies; a secret in one of them is removed and holds."""
        texts = self._render(account, evidence, junit=junit, html=html)
        leaking = [name for name, text in texts.items() if self.redactor.finds(text)]
        if leaking:
            self.trouble.append(
                f"a secret was found in {', '.join(leaking)} and removed. "
                "Find the check that put it there, and redact it at its source"
            )
            before = render_verdict_block(account)
            account = self._judge(self._with_trouble(evidence))
            evidence = account.evidence
            html = html.replace(before, render_verdict_block(account)) if html else None
            texts = {
                name: self.redactor.redact(text)
                for name, text in self._render(account, evidence, junit=junit, html=html).items()
            }
        # The verdict last: a reader that finds a promote finds all that it stands on.
        for name, text in reversed(texts.items()):
            write_atomically(self.directory.path / name, text)
            if name in self.copies:
                write_atomically(self.copies[name], text)
        return account

    def _render(
        self, account: Account, evidence: Evidence, *, junit: str | None, html: str | None
    ) -> dict[str, str]:
        evidence_text = write_evidence(evidence)
        return {
            "verdict.json": render_verdict(account, evidence_text=evidence_text),
            "junit.xml": finish_junit(junit, account),
            "report.html": html or render_page(account),
            "summary.md": render_summary(account),
            "evidence.jsonl": evidence_text,
        }


def _unvisited(environment: Environment, evidence: Evidence) -> list[str]:
    """Categories that the environment describes and no check of a whole tier was about."""
    planned = {check.category for check in evidence.to_run}
    if not planned or evidence.run.tier is None:
        return []
    return [
        f"{category}: no check of this run is about it"
        for category in Category
        if environment.covers(category) and category not in planned
    ]


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
    )
