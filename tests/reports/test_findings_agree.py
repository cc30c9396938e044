"""What was found is the same in all files, or they are refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.plugin.conftest import Reports
from tests.reports.conftest import SMOKE
from tests.reports.edits import Edit, changing, dropping, mend_digest
from tests.runs import Workshop, copy_of, workshop

LOW = """
    import pytest

    from deployment_gate.evidence import FindingSeverity
    from deployment_gate.security.rules import Looked, Rule

    LEAK = Rule(
        id="leak",
        severity=FindingSeverity.LOW,
        title="The server's name is told",
        source="OWASP Secure Headers",
        remedy="Remove it.",
    )

    @pytest.mark.smoke
    def test_leaks(judge_findings):
        judge_findings(Looked((LEAK.found("Server: nginx", ["api GET /"]),)))

    @pytest.mark.smoke
    def test_is_well(judge_findings):
        judge_findings(Looked())
"""
REQUIRED = "required: {smoke: [health], full: [health]}\n"
FINDING = r'^[^\n]*"type": "finding"[^\n]*\n'

EDITS: dict[str, tuple[tuple[Edit, ...], str]] = {
    "no results": (
        (dropping("findings.sarif", r'(?<="results": \[).*?\n      (?=\],)'),),
        "findings.sarif: holds 0 findings, evidence.jsonl 1; they differ in ",
    ),
    "a level": (
        (changing("findings.sarif", '"level": "note"', '"level": "none"'),),
        "findings.sarif: not what the gate writes",
    ),
    "cut off": (
        (dropping("findings.sarif", r'"results".*'),),
        "findings.sarif: no SARIF file of the gate",
    ),
    "a finding removed from the evidence, and the digest mended": (
        (dropping("evidence.jsonl", FINDING), mend_digest),
        "verdict.json: not what the gate writes",
    ),
    "a finding in the evidence that is less bad, and the digest mended": (
        (changing("evidence.jsonl", '"severity": "low"', '"severity": "info"'), mend_digest),
        "verdict.json: not what the gate writes",
    ),
    "a finding in the evidence with another detail, and the digest mended": (
        (changing("evidence.jsonl", '"detail": "Server: nginx"', '"detail": "no"'), mend_digest),
        "report.html: not what the gate writes",
    ),
    "a finding that is waived in verdict.json": (
        (changing("verdict.json", '"standing": "warns"', '"standing": "waived"'),),
        "verdict.json: not what the gate writes",
    ),
    "a finding less in the page": (
        (changing("report.html", ">leak, ", ">less, "),),
        "report.html: not what the gate writes",
    ),
}


@pytest.fixture(scope="module")
def leaky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workshop, Reports]]:
    """A project with a finding that only warns, and what a promote of it left."""
    with workshop(tmp_path_factory.mktemp("leaky")) as shop:
        shop.write("validation/security/test_low.py", LOW)
        path = shop.folder / "environments/here.yaml"
        path.write_text(f"{path.read_text()}api: {{base_url: '{shop.target.url}'}}\n{REQUIRED}")
        yield shop, shop.validate("promote", *SMOKE)


def test_a_low_finding_is_in_every_file_of_a_promote_that_agrees(
    leaky: tuple[Workshop, Reports], verify: Callable[..., str]
) -> None:
    shop, reports = leaky
    assert reports.verdict["verdict"] == "promote", reports.why
    assert reports.verdict["findings"]["low"] == 1
    (result,) = json.loads(reports["findings.sarif"])["runs"][0]["results"]
    (line,) = re.findall(FINDING, reports["evidence.jsonl"], re.MULTILINE)
    (fingerprint,) = result["partialFingerprints"].values()
    assert json.loads(line)["rule"] == result["ruleId"] == "leak"
    for name in ("report.html", "summary.md"):
        assert fingerprint in reports[name]
    said = verify(reports, env_dir=str(shop.folder / "environments"))
    assert "the six files are whole and agree" in said


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_of_what_was_found_is_refused(
    leaky: tuple[Workshop, Reports], refusal: Callable[..., str], tmp_path: Path, edit: str
) -> None:
    edited = copy_of(leaky[1], tmp_path / "edited")
    steps, said = EDITS[edit]
    for step in steps:
        step(edited)
    assert said in refusal(edited)


def test_without_its_findings_the_files_are_refused(
    leaky: tuple[Workshop, Reports], refusal: Callable[..., str], tmp_path: Path
) -> None:
    edited = copy_of(leaky[1], tmp_path / "edited")
    (edited.path / "findings.sarif").unlink()
    assert "findings.sarif is missing. Validate again" in refusal(edited)


def test_a_stricter_policy_holds_what_only_warned(
    leaky: tuple[Workshop, Reports], refusal: Callable[..., str]
) -> None:
    shop, reports = leaky
    text = (shop.folder / "environments/here.yaml").read_text()
    path = shop.write("stricter/here.yaml", text + "security: {holds_from: low}\n")
    said = refusal(reports, env_dir=str(path.parent))
    assert "promote becomes hold: " in said
    assert "test_leaks found what isn't accepted: low: The server's name is told" in said
