"""`metrics.prom`: read by Prometheus' own two parsers, and pushed by the documented command."""

from __future__ import annotations

import re
import shlex
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_older_text

from deployment_gate.evidence import Evidence, Finding, FindingSeverity, Outcome
from deployment_gate.judgement import TriggerResult, TriggerState
from deployment_gate.reports.account import Account
from deployment_gate.reports.history import Latency, Share
from deployment_gate.reports.metrics import render_metrics
from tests.plugin.conftest import PATIENCE_S
from tests.reports.histories import run, validate
from tests.runs import workshop

Make = Callable[..., Account]
DOCS = Path(__file__).parents[2] / "docs/history.md"
READERS = {"OpenMetrics": read_openmetrics, "Prometheus 0.0.4": read_older_text}


def samples(text: str, reader: str = "OpenMetrics") -> dict[tuple[str, str], float]:
    """The value of each sample, by its name and its labels beside those that all have."""
    found = {}
    for family in READERS[reader](text):
        for sample in family.samples:
            labels = {
                name: value
                for name, value in sample.labels.items()
                if name not in {"environment", "release", "tier"}
            }
            key = (
                sample.name.removeprefix("deployment_gate_"),
                ",".join(labels[name] for name in sorted(labels)),
            )
            assert key not in found
            found[key] = sample.value
    return found


@pytest.mark.parametrize("reader", READERS)
def test_both_of_prometheus_formats_read_the_same(
    account: Make, trigger: Callable[..., TriggerResult], reader: str
) -> None:
    told = account(
        "no", triggers=(trigger(), trigger(TriggerState.FIRED, name="error_rate_threshold"))
    )
    entry = run(
        "a",
        "hold",
        outcomes={Outcome.PASSED: 3, Outcome.FAILED: 1},
        pages=Latency(count=9, p50_s=0.5, p95_s=1.5),
        errors=Share(count=1, of=40),
        availability=Share(count=6, of=8),
    )
    found = samples(render_metrics(told, entry), reader)
    assert found["verdict", "hold"] == 1
    assert found["verdict", "promote"] == found["verdict", "rollback"] == 0
    assert found["checks", "passed"] == 3
    assert found["checks", "failed"] == 1
    assert found["checks", "waived"] == 0
    assert found["checks_planned", ""] == 4
    assert found["trigger", "clear,health_check_failure"] == 1
    assert found["trigger", "fired,error_rate_threshold"] == 1
    assert found["trigger", "clear,error_rate_threshold"] == 0
    assert found["duration_seconds", ""] == 20
    ended = datetime(2026, 11, 1, 3, 0, 20, tzinfo=UTC)
    assert found["ended_timestamp_seconds", ""] == ended.timestamp()
    assert found["answer_seconds", "0.95"] == 0.12
    assert found["page_load_seconds", "0.5"] == 0.5
    assert found["error_ratio", ""] == 0.025
    assert found["availability_ratio", ""] == 0.75
    assert found["coverage_ratio", ""] == 1
    assert found["findings", "critical"] == 0


def test_findings_are_counted_by_severity(account: Make) -> None:
    some = account()
    findings = tuple(
        Finding(
            rule=f"rule-{number}",
            severity=severity,
            title="t",
            detail="d",
            places=("api GET /",),
            source="s",
            remedy="r",
            at=some.run.started,
            check="t::a",
        )
        for number, severity in enumerate(
            [FindingSeverity.HIGH, FindingSeverity.HIGH, FindingSeverity.LOW]
        )
    )
    evidence = Evidence(run=some.run, findings=findings, end=some.evidence.end)
    found = samples(render_metrics(account(evidence=evidence), run("a")))
    assert (found["findings", "high"], found["findings", "low"]) == (2, 1)


def test_what_was_not_seen_has_no_number(account: Make) -> None:
    entry = run("a", answers=Latency(), errors=Share(), availability=Share())
    names = {name for name, _ in samples(render_metrics(account(), entry))}
    assert not names & {"answer_seconds", "error_ratio", "availability_ratio", "page_load_seconds"}


def test_every_sample_says_of_which_environment_release_and_tier_it_is(account: Make) -> None:
    text = render_metrics(account(), run("a", environment="production", tier=None, release=None))
    for family in read_openmetrics(text):
        assert family.type == "gauge"
        assert family.documentation.endswith(".")
        for sample in family.samples:
            assert sample.labels["environment"] == "production"
            assert sample.labels["release"] == ""
            assert sample.labels["tier"] == "a selection"


@given(text=st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_names_are_they_stay_labels(
    account: Make, trigger: Callable[..., TriggerResult], text: str
) -> None:
    told = account(triggers=(trigger(name=text),))
    rendered = render_metrics(told, run("a", environment=text, release=text))
    assert samples(rendered)["verdict", "promote"] == 1


class Pushgateway:
    """Takes what is put there, and reads it as the real one does: as Prometheus' older text."""

    def __init__(self) -> None:
        pushed = self.pushed = []

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                pushed.append((self.path, samples(body, "Prometheus 0.0.4")))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Keep the terminal for the tests."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"

    pushed: list[tuple[str, dict[tuple[str, str], float]]]


@contextmanager
def pushgateway() -> Iterator[Pushgateway]:
    """Serve one on a free port."""
    gateway = Pushgateway()
    thread = threading.Thread(target=gateway.server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield gateway
    finally:
        gateway.server.shutdown()
        gateway.server.server_close()
        thread.join()


def test_a_runs_metrics_are_pushed_by_the_command_of_the_docs(tmp_path: Path) -> None:
    (command,) = re.findall(r"^\$ (curl .*)$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    with workshop(tmp_path) as shop, pushgateway() as gateway:
        shop.write("reports/here/metrics.prom", "of yesterday")
        exit_code, output = validate(shop.folder, "-m", "smoke", "--release=1.5.0")
        assert exit_code == 0, output
        here = command.replace("production", "here")
        subprocess.run(
            shlex.split(here.replace("pushgateway.example:9091", gateway.address)),
            cwd=shop.folder,
            capture_output=True,
            timeout=PATIENCE_S,
            check=True,
        )
    ((path, found),) = gateway.pushed
    assert path == "/metrics/job/deployment_gate/environment/here"
    assert found["verdict", "promote"] == 1
    assert found["trigger", "clear,health_check_failure"] == 1
    assert found["availability_ratio", ""] == 1


def test_a_run_that_does_not_end_leaves_no_metrics_of_yesterday(tmp_path: Path) -> None:
    with workshop(tmp_path) as shop:
        shop.write("reports/here/metrics.prom", "of yesterday")
        stop = "import os\n\ndef test_it():\n    os._exit(9)\n"
        shop.write("validation/health/test_stop.py", stop)
        validate(shop.folder, "validation/health/test_stop.py")
        assert not (shop.folder / "reports/here/metrics.prom").exists()
