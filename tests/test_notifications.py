"""Notifications: who is told of which verdict, and that nothing depends on them."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from deployment_gate.environment import (
    Environment,
    EnvironmentFileError,
    environment_schema,
    load_environment,
)
from deployment_gate.evidence import Evidence, Redactor, Run, RunEnd
from deployment_gate.judgement import Decision, Reason, Verdict
from deployment_gate.notifications import Message, message_of, send
from deployment_gate.reports.account import Account
from tests.plugin.conftest import PATIENCE_S, Reply
from tests.reports.histories import validate
from tests.runs import Workshop, workshop

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs/notifications.md"
TOKEN = "t0ken-that-n0body-knows"
MESSAGE = Message("critical", "ROLL BACK: it", "It is down.\nReport: /there")


class Service:
    """What takes messages: well, with an error, or never."""

    def __init__(self, status: int = 200, *, is_hanging: bool = False) -> None:
        self.messages: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self._released = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.asked.append(self.path)
                if is_hanging:
                    service._released.wait(60)
                    return
                service.messages.append(json.loads(body))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Keep the terminal for the tests."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """A client that was ended is no error here."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"json://somebody:{TOKEN}@127.0.0.1:{self.server.server_port}/{TOKEN}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def close(self) -> None:
        """Let go of what hangs, and end."""
        self._released.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@contextmanager
def service(status: int = 200, *, is_hanging: bool = False) -> Iterator[Service]:
    """Serve one on a free port."""
    made = Service(status, is_hanging=is_hanging)
    try:
        yield made
    finally:
        made.close()


def refusing() -> str:
    """An address where nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"json://somebody:{TOKEN}@127.0.0.1:{unused.getsockname()[1]}"


# The section


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Environment]:
    """The environment with a section of notifications."""

    def load(section: str, **variables: str) -> Environment:
        base = 'health_endpoints: {api: {url: "http://api.example/health"}}\n'
        (tmp_path / "here.yaml").write_text(base + section, encoding="utf-8")
        return load_environment("here", tmp_path, variables=variables)

    return load


def test_addresses_come_from_the_process_environment_and_stay_secret(
    load: Callable[..., Environment],
) -> None:
    address = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/alerts"
    environment = load('notifications: {critical: ["${PAGER}"], timeout: 3s}\n', PAGER=address)
    section = environment.notifications
    assert section is not None
    assert [one.get_secret_value() for one in section.critical] == [address]
    assert (section.warning, section.timeout) == ((), timedelta(seconds=3))
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in repr(environment)
    redact = Redactor(environment.secrets).redact
    told = redact(f"{address} failed: T1JJ3T3L2 of TIiajkdnlazkcOXrIdevi7FQ in alerts")
    assert told == "[redacted] failed: [redacted] of [redacted] in alerts"


@pytest.mark.parametrize(
    ("address", "secrets"),
    [
        ("mailtos://bob:pa%40ss@mail.example.org?to=al@example.org", {"pa@ss", "pa%40ss"}),
        ("json://127.0.0.1:8080/hook/alerts", set()),
        ("jsons://hooks.example.org/services/prod?token=4f2a91cc07", {"4f2a91cc07"}),
        ("discord://417421/JHMHI8qBe7bk2ZwO5U711o3dV", {"JHMHI8qBe7bk2ZwO5U711o3dV"}),
    ],
)
def test_what_looks_like_a_token_is_secret_and_an_ordinary_word_is_not(
    load: Callable[..., Environment], address: str, secrets: set[str]
) -> None:
    found = load('notifications: {info: ["${A}"]}\n', A=address).secrets
    assert found == {address} | secrets


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ('critical: ["json://pager.example/x"]', "comes whole from the process environment"),
        ('critical: ["json://${HOST}/x"]', "comes whole from the process environment"),
        ('critical: ["${WORD}"]', '"${WORD}" holds no address of a notifier'),
        ('critical: ["${UNSET}"]', "the variable UNSET isn't set"),
        ('urgent: ["${ADDRESS}"]', "urgent"),
        ("timeout: 0s", "isn't above zero"),
    ],
)
def test_what_is_no_notifier_is_refused_without_showing_it(
    load: Callable[..., Environment], written: str, why: str
) -> None:
    with pytest.raises(EnvironmentFileError) as caught:
        load(
            f"notifications: {{{written}}}\n",
            WORD="w0rd-of-secrets",
            HOST="pager.example",
            ADDRESS="json://127.0.0.1",
        )
    assert why in str(caught.value)
    assert "w0rd-of-secrets" not in str(caught.value)


def test_every_key_of_the_section_is_in_the_docs_whose_example_is_understood(
    load: Callable[..., Environment],
) -> None:
    text = DOCS.read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    environment = load(
        example, PAGER_URL="json://pager.example", TEAM_CHAT_URL="json://chat.example"
    )
    assert environment.notifications is not None
    assert len(environment.notifications.critical) == 2
    for key in environment_schema()["$defs"]["Notifications"]["properties"]:
        assert f"| `{key}` |" in text


# The message


def account(decision: Decision, *reasons: str) -> Account:
    """What was decided of a release in production."""
    at = datetime(2026, 11, 27, 2, 59, tzinfo=UTC)
    evidence = Evidence(
        run=Run(id="r1", environment="production", started=at, release="1.5.0", tier="smoke"),
        end=RunEnd(at=at + timedelta(minutes=1), exit_status=0),
    )
    found = tuple(Reason(decision, "rule", text) for text in reasons)
    verdict = Verdict(decision=decision, reasons=found, planned=3, counts=Counter())
    return Account(run=evidence.run, verdict=verdict, evidence=evidence, health_endpoints={})


@pytest.fixture
def production() -> Environment:
    """The runbook's own environment."""
    return load_environment(
        "production",
        ROOT / "environments",
        variables={"PRODUCTION_TEST_PASSWORD": "correct-horse"},
    )


@pytest.mark.parametrize(
    ("decision", "level", "asked"),
    [
        (
            Decision.ROLLBACK,
            "critical",
            "On-call engineer and team lead: Immediate investigation and response, "
            + "within 5 minutes (by 2026-11-27 03:05:00 UTC)",
        ),
        (
            Decision.HOLD,
            "warning",
            "On-call engineer: Investigation and resolution, within 30 minutes "
            + "(by 2026-11-27 03:30:00 UTC)",
        ),
        (
            Decision.PROMOTE,
            "info",
            "Regular team review: Documentation and follow-up, within 2 hours "
            + "(by 2026-11-27 05:00:00 UTC)",
        ),
    ],
)
def test_the_message_says_what_the_runbook_asks_at_its_level(
    production: Environment, decision: Decision, level: str, asked: str
) -> None:
    reasons = () if decision is Decision.PROMOTE else ("api failed", "web failed")
    told = account(decision, *reasons)
    message = message_of(told, production, report="/r/report.html", variables={})
    assert message.level == level
    assert message.title == f"{told.headline}: production, release 1.5.0, smoke"
    lines = message.body.splitlines()
    assert lines[0] == told.sentence
    assert [line for line in lines if line.startswith("- ")] == [
        f"- {decision}: {reason}" for reason in reasons
    ]
    assert asked in lines
    assert told.next_step in lines
    assert "Report: /r/report.html" in lines


def test_of_many_reasons_the_first_are_said(production: Environment) -> None:
    told = account(Decision.HOLD, *[f"reason {number} {'long ' * 200}" for number in range(9)])
    body = message_of(told, production, report="", variables={}).body
    assert "- hold: reason 4" in body
    assert "reason 5" not in body
    assert "- and 4 more in the report" in body
    assert len(body) < 4000


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        (
            {
                "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_REPOSITORY": "acme/platform",
                "GITHUB_RUN_ID": "7",
            },
            "Pipeline: https://github.com/acme/platform/actions/runs/7",
        ),
        ({"CI_JOB_URL": "https://gitlab/7"}, "Pipeline: https://gitlab/7"),
        ({"BUILD_URL": "https://jenkins/7"}, "Pipeline: https://jenkins/7"),
        ({}, ""),
    ],
)
def test_the_message_leads_to_the_pipeline(
    production: Environment, variables: dict[str, str], line: str
) -> None:
    told = account(Decision.HOLD, "no")
    lines = message_of(told, production, report="", variables=variables).body.splitlines()
    assert [one for one in lines if one.startswith("Pipeline")] == ([line] if line else [])


def test_without_an_alert_response_nobody_is_asked(load: Callable[..., Environment]) -> None:
    body = message_of(account(Decision.HOLD, "no"), load(""), report="", variables={}).body
    assert "within" not in body


# Sending, to real servers


def test_all_are_told_at_once() -> None:
    with service() as one, service() as other:
        assert send([one.url, other.url], MESSAGE, timeout_s=20) == []
    for told in (one, other):
        ((message,), (path,)) = told.messages, told.asked
        assert path == f"/{TOKEN}"
        assert (message["title"], message["message"]) == (MESSAGE.title, MESSAGE.body)
        assert message["type"] == "failure"


def test_one_that_fails_keeps_no_other_from_being_told() -> None:
    with service() as well, service(500) as broken:
        addresses = [refusing(), broken.url, "nonsense://x", well.url]
        failures = send(addresses, MESSAGE, timeout_s=20)
    assert len(well.messages) == 1
    assert [(one.number, one.scheme) for one in failures] == [
        (1, "json"),
        (2, "json"),
        (3, "nonsense"),
    ]
    refused, internal, unknown = (one.why for one in failures)
    assert "onnection" in refused
    assert "error=500" in internal
    assert "doesn't understand its address" in unknown


def test_one_that_hangs_is_ended_when_time_is_up() -> None:
    with service(is_hanging=True) as hanging, service() as well:
        began = time.monotonic()
        failures = send([f"{hanging.url}?rto=60&cto=60", well.url], MESSAGE, timeout_s=4)
        took = time.monotonic() - began
    assert took < 6
    assert len(hanging.asked) == len(well.messages) == 1
    ((number, why),) = [(one.number, one.why) for one in failures]
    assert (number, why) == (1, "it told nothing within 4 s, and was ended")


def test_without_apprise_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "apprise.py").write_text("raise ImportError('none here')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (failure,) = send(["json://127.0.0.1"], MESSAGE, timeout_s=20)
    assert "pip install 'pytest-deployment-gate[notifications]'" in failure.why


def test_a_process_that_cannot_be_started_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    (failure,) = send(["json://127.0.0.1"], MESSAGE, timeout_s=20)
    assert "no process could be started for it (No such file or directory)" in failure.why


# Whole runs


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """A project of this module."""
    with workshop(tmp_path_factory.mktemp("notifying")) as shop:
        yield shop


@pytest.fixture
def tell(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Validate with notifiers at all levels; the exit code and what was said."""
    original = (shop.folder / "environments/here.yaml").read_text()

    def tell(*arguments: str, timeout: str = "20s", **addresses: str) -> tuple[int, str]:
        names = {level: f"{level.upper()}_URL" for level in addresses}
        for level, name in names.items():
            monkeypatch.setenv(name, addresses[level])
        listed = ", ".join(f'{level}: ["${{{name}}}"]' for level, name in names.items())
        section = f"notifications: {{{listed}, timeout: {timeout}}}\n"
        response = (
            'alert_response:\n  critical_alerts: {response_time: "within 5 minutes", '
            'escalation: "On-call engineer + team lead", action: "Look at it"}\n'
        )
        environment = original.partition("notifications:")[0]
        shop.write("environments/here.yaml", environment + section + response)
        return validate(shop.folder, *arguments, "--release=1.5.0")

    return tell


def test_a_rollback_tells_the_critical_ones_alone_once_with_many_processes(
    shop: Workshop, tell: Callable[..., tuple[int, str]]
) -> None:
    shop.target.answers["/health/api"] = repeat(Reply(status=503))
    try:
        with service() as pager, service() as chat:
            exit_code, output = tell(
                "-m", "smoke", "-n", "2", critical=pager.url, warning=chat.url, info=chat.url
            )
    finally:
        del shop.target.answers["/health/api"]
    assert exit_code == 10
    assert not chat.messages
    (message,) = pager.messages
    assert message["title"] == "ROLL BACK: here, release 1.5.0, smoke"
    assert "api_service failed 3 times in a row: answered 503" in message["message"]
    assert "On-call engineer and team lead: Look at it, within 5 minutes" in message["message"]
    assert f"Report: {shop.folder / 'reports/here/report.html'}" in message["message"]
    assert "reached nobody" not in output


def test_a_promote_is_information_and_collecting_alone_is_none(
    tell: Callable[..., tuple[int, str]],
) -> None:
    with service() as pager, service() as chat:
        assert tell("-m", "smoke", "--collect-only", info=chat.url)[0] == 0
        assert not chat.messages
        assert tell("-m", "smoke", critical=pager.url, info=chat.url)[0] == 0
    assert not pager.messages
    assert [one["type"] for one in chat.messages] == ["success"]


def test_who_does_not_want_to_wait_for_a_notifier_keeps_the_verdict(
    shop: Workshop, tell: Callable[..., tuple[int, str]]
) -> None:
    with service(is_hanging=True) as hanging:

        def interrupt() -> None:
            """Press Ctrl-C once the notifier hangs."""
            deadline = time.monotonic() + PATIENCE_S
            while not hanging.asked and time.monotonic() < deadline:
                time.sleep(0.05)
            (process,) = (
                int(path.name)
                for path in Path("/proc").glob("[0-9]*")
                if _is_run_in(path, shop.folder)
            )
            os.kill(process, signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        exit_code, output = tell("-m", "smoke", timeout="50s", info=f"{hanging.url}?rto=50")
        thread.join()
    assert exit_code == 0
    assert "interrupted; whoever was not told yet isn't told. The verdict stands" in output


def _is_run_in(process: Path, folder: Path) -> bool:
    """Whether a process is pytest in a folder."""
    try:
        command = (process / "cmdline").read_bytes()
        return b"pytest\0--env=here" in command and (process / "cwd").resolve() == folder.resolve()
    except OSError:
        return False


def test_notifiers_that_fail_are_told_and_change_nothing(
    shop: Workshop, tell: Callable[..., tuple[int, str]]
) -> None:
    for address, why in ((refusing(), "onnection"), (None, "told nothing within 2 s")):
        with service(is_hanging=True) as hanging:
            given = address or f"{hanging.url}?rto=60"
            exit_code, output = tell("-m", "smoke", timeout="2s", info=given)
        assert exit_code == 0, output
        assert "deployment gate: notifications.info, number 1 (json), reached nobody: " in output
        assert why in output
        assert TOKEN not in output
        folder = shop.folder / "reports/here"
        assert json.loads((folder / "verdict.json").read_text())["verdict"] == "promote"
        for path in folder.iterdir():
            if path.is_file():
                assert TOKEN not in path.read_text(), path
