"""Faults as the checks of security find them: exactly their own findings, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sandbox.security_faults import SECURITY_FAULTS
from tests.drills.conftest import ROOT, Drill, Target


@dataclass(frozen=True)
class Expected:
    """What a fault must lead to: the rules that it breaks, and what follows."""

    fault: str
    rules: str
    worst: str


EXPECTED = [
    Expected("cached-identity", "cached-for-another", "critical"),
    Expected("any-token-admin", "administrative-operation-open", "critical"),
    Expected("any-object", "object-of-another-readable", "critical"),
    Expected("mass-assignment", "role-taken-from-request", "critical"),
    Expected("alg-none", "unsigned-token-accepted", "critical"),
    Expected("default-account", "default-account", "critical"),
    Expected("exposed-git", "repository-exposed", "critical"),
    Expected("secret-in-script", "secret-in-page", "critical"),
    Expected("no-revocation", "token-outlives-sign-out", "high"),
    Expected("accepts-expired", "token-outlives-its-time", "high"),
    Expected("echoed-password", "echoed-secret", "high"),
    Expected("sql-in-errors", "inside-shown-by-errors", "high"),
    Expected("leaky-errors", "inside-shown-by-errors echoed-secret", "high"),
    Expected("wildcard-cors", "cors-any-origin-with-credentials", "high"),
    Expected("insecure-cookie", "session-cookie-exposed", "high"),
    Expected("no-rate-limit", "sign-ins-unlimited", "medium"),
    Expected("user-enumeration", "usernames-told-by-sign-in", "medium"),
    Expected("open-docs", "api-description-open", "medium"),
    Expected("reflected-host", "host-reflected", "medium"),
    Expected("trace-method", "trace-answered", "medium"),
    Expected(
        "missing-headers",
        "csp-missing framing-allowed content-type-sniffed referrer-told",
        "medium",
    ),
    Expected("spa-fallback", "unknown-path-answered-200", "low"),
    Expected("source-map", "source-map-open", "low"),
    Expected("verbose-server", "product-disclosed", "low"),
]
OVER_TLS = [
    Expected("weak-tls", "tls-obsolete-version", "medium"),
    Expected("expiring-certificate", "certificate-expires-in-days", "high"),
]
# Each breaks rules of its own, and none hides what another one leads to.
TOGETHER = [
    """cached-identity any-object mass-assignment exposed-git secret-in-script wildcard-cors
    accepts-expired leaky-errors""",
    """any-token-admin alg-none default-account no-revocation echoed-password open-docs
    insecure-cookie no-rate-limit""",
    "user-enumeration sql-in-errors reflected-host trace-method missing-headers",
    "spa-fallback source-map verbose-server",
]
_RANKS = ["critical", "high", "medium", "low", "info"]


def findings_of(drill: Drill) -> dict[str, str]:
    """The rules of all findings, each with how bad the worst of them is."""
    lines = (drill.reports / "evidence.jsonl").read_text().splitlines()
    findings = [one for one in map(json.loads, lines) if one["type"] == "finding"]
    worst_first = sorted(findings, key=lambda one: _RANKS.index(one["severity"]), reverse=True)
    return {one["rule"]: one["severity"] for one in worst_first}


def see(drill: Drill, *expected: Expected) -> None:
    """Exactly their findings, the verdict, and all other checks passed."""
    found = findings_of(drill)
    assert set(found) == {rule for one in expected for rule in one.rules.split()}, drill.output
    for one in expected:
        worst = min((found[rule] for rule in one.rules.split()), key=_RANKS.index)
        assert (one.fault, worst) == (one.fault, one.worst)
    ended = set(drill.outcomes.values())
    if {one.worst for one in expected} == {"low"}:
        assert (drill.verdict["verdict"], drill.exit_code) == ("promote", 0), drill.output
        assert ended == {"passed", "warned"}
    else:
        assert (drill.verdict["verdict"], drill.exit_code) == ("hold", 1), drill.output
        assert ended <= {"passed", "warned", "failed"}, drill.outcomes


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the sandbox needs for TLS."""
    folder = tmp_path_factory.mktemp("certificates")
    command = [sys.executable, "-m", "sandbox", "certificates", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def running_over_tls(
    certificates: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    """One sandbox over TLS for all drills of this process."""
    folder = tmp_path_factory.mktemp("sandbox")
    state_dir, access_log = folder / "state", folder / "access.jsonl"
    command = [sys.executable, "-m", "sandbox", "up", "--tls", str(certificates)]
    command += ["--api-port", "0", "--web-port", "0", "--plain-port", "0"]
    command += ["--state-dir", str(state_dir), "--access-log", str(access_log)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline(), "the sandbox did not start"
        state = json.loads((state_dir / "sandbox.json").read_text())
        yield Target(
            state_dir,
            access_log,
            state["api_url"],
            state["web_url"],
            variables={
                "SANDBOX_TLS_DIR": str(certificates),
                "SSL_CERT_FILE": str(certificates / "ca.pem"),
                "SANDBOX_PLAIN_PORT": str(urlsplit(state["plain_url"]).port),
            },
        )
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture
def over_tls(running_over_tls: Target) -> Iterator[Target]:
    """It, healthy again after each drill."""
    yield running_over_tls
    running_over_tls.set_fault("clear")


@pytest.mark.parametrize("group", TOGETHER, ids=lambda group: group.split()[0])
def test_faults_of_security_are_exactly_their_own_findings(
    group: str, target: Target, run_gate: Callable[..., Any]
) -> None:
    for fault in group.split():
        target.set_fault(fault)

    drill = run_gate(env="secured", marker="security")

    see(drill, *(one for one in EXPECTED if one.fault in group.split()))
    if "missing-headers" in group:
        # Error answers are where headers go missing.
        evidence = (drill.reports / "evidence.jsonl").read_text()
        assert all(f"({status})" in evidence for status in (401, 404, 405, 422, 429))


def test_faults_of_tls_are_exactly_their_own_findings(
    over_tls: Target, run_gate: Callable[..., Any]
) -> None:
    for one in OVER_TLS:
        over_tls.set_fault(one.fault)

    see(run_gate(env="secured-tls", marker="security", target=over_tls), *OVER_TLS)


def test_a_hardened_platform_has_no_finding(over_tls: Target, run_gate: Callable[..., Any]) -> None:
    asked_before = len(over_tls.access_log.read_text().splitlines())

    drill = run_gate("-n", "4", env="hardened", marker="security", target=over_tls)

    assert findings_of(drill) == {}, drill.output
    assert set(drill.outcomes.values()) == {"passed"}
    assert drill.exit_code == 0
    assert len(drill.outcomes) > 45
    asked = len(over_tls.access_log.read_text().splitlines()) - asked_before
    assert 200 < asked < 1500


def test_every_fault_of_security_has_a_drill() -> None:
    drilled = {one.fault for one in (*EXPECTED, *OVER_TLS)}
    assert {fault.name for fault in SECURITY_FAULTS} <= drilled
    assert {one.fault for one in EXPECTED} == set(" ".join(TOGETHER).split())
