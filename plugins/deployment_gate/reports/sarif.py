"""`findings.sarif`: what checks of security found, for programs that read SARIF 2.1.0.

The form is that of the OASIS standard with its errata, https://docs.oasis-open.org/sarif/sarif/
v2.1.0/errata01/os/; numbers of sections are of that document.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from deployment_gate.environment import Category
from deployment_gate.evidence import (
    REDACTED,
    CheckOutcome,
    Finding,
    FindingSeverity,
    Outcome,
    PlannedCheck,
)
from deployment_gate.judgement import ENDED_NORMALLY, JudgedFinding, Standing, is_failed_by
from deployment_gate.reports.account import Account

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
"""Where the official schema of such files is."""

FINGERPRINT = "deploymentGate/v1"
"""Under this key stands what is the same for the same finding in every run."""

_DRIVER = "deployment-gate"
_LEVELS = {
    FindingSeverity.CRITICAL: "error",
    FindingSeverity.HIGH: "error",
    FindingSeverity.MEDIUM: "warning",
    FindingSeverity.LOW: "note",
    FindingSeverity.INFO: "note",
}
# GitHub and others sort by a number in the manner of CVSS, which must be a text.
_SCORES = {
    FindingSeverity.CRITICAL: "9.5",
    FindingSeverity.HIGH: "8.0",
    FindingSeverity.MEDIUM: "5.5",
    FindingSeverity.LOW: "3.0",
    FindingSeverity.INFO: "0.0",
}
_LOOKED = frozenset({Outcome.PASSED, Outcome.FLAKY, Outcome.WARNED, Outcome.WAIVED})

# Where those who made a rule tell of it.
_SOURCES = (
    ("OWASP ASVS", "https://owasp.org/www-project-application-security-verification-standard/"),
    ("OWASP API", "https://owasp.org/API-Security/editions/2023/en/0x11-t10/"),
    ("OWASP Secure Headers", "https://owasp.org/www-project-secure-headers/"),
    ("OWASP", "https://owasp.org/www-project-web-security-testing-guide/"),
    ("HTTP Observatory", "https://developer.mozilla.org/en-US/observatory/docs/tests_and_scoring"),
    ("Server Side TLS", "https://wiki.mozilla.org/Security/Server_Side_TLS"),
    ("CSP Evaluator", "https://csp-evaluator.withgoogle.com/"),
)
_RFC = re.compile(r"\bRFC (\d+)\b")

_REQUEST = re.compile(r"^(?P<base>api|web) (?:[A-Z]+ )?(?P<path>/\S*)")
_HOST = re.compile(r"^[\w.-]+:\d+$|^\[[0-9a-fA-F:]+\]:\d+$")
_ASKED = re.compile(r"^> ([A-Z]+) (\S+)$")
_STATUS = re.compile(r"^< (\d{3})$")
_HEADER = re.compile(r"^[<>] ([!#$%&'*+.^_`|~0-9A-Za-z-]+): (.*)$")


class SarifError(ValueError):
    """A text that is no SARIF file of the gate."""


def render_sarif(account: Account) -> str:
    """The text of `findings.sarif`."""
    found = account.verdict.findings
    rules = _rules(found)
    numbers = {rule["id"]: number for number, rule in enumerate(rules)}
    run = account.run
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": _DRIVER, "fullName": run.tool, "rules": rules}},
                # 3.17.3: what stands before the last slash is the same for each such run.
                "automationDetails": {
                    "id": f"{_DRIVER}/{run.environment}/{run.id}",
                    "description": {"text": account.subject},
                },
                "invocations": [_invocation(account)],
                "originalUriBaseIds": {
                    "API": {"description": {"text": "The address of the API."}},
                    "WEB": {"description": {"text": "The address of the web interface."}},
                },
                "redactionTokens": [REDACTED],
                "results": [_result(one, numbers[one.finding.rule]) for one in found],
                "properties": {
                    "environment": run.environment,
                    "release": run.release,
                    "run": run.id,
                    "verdict": account.verdict.decision,
                },
            }
        ],
    }
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def fingerprints_in(text: str) -> Counter[str]:
    """The fingerprints of all findings in a file.

    Raises:
        SarifError: The text is no such file.
    """
    try:
        log = json.loads(text)
        return Counter(
            str(result["partialFingerprints"][FINGERPRINT])
            for run in log["runs"]
            for result in run["results"]
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SarifError(f"no SARIF file of the gate ({type(error).__name__}: {error})") from None


def _rules(found: Iterable[JudgedFinding]) -> list[dict[str, Any]]:
    """The rules that are broken; of one that is broken in several ways, as bad as the worst."""
    worst: dict[str, Finding] = {}
    for one in found:
        known = worst.get(one.finding.rule)
        if known is None or one.finding.severity.is_at_least(known.severity):
            worst[one.finding.rule] = one.finding
    return [_rule(finding) for finding in worst.values()]


def _rule(finding: Finding) -> dict[str, Any]:
    address = _address_of(finding.source)
    return {
        "id": finding.rule,
        "shortDescription": {"text": _plain(f"{finding.title}.")},
        "fullDescription": {"text": _plain(f"{finding.title}. Rule: {finding.source}.")},
        "help": {"text": _plain(f"{finding.remedy}\n\nRule: {finding.source}.")},
        **({"helpUri": address} if address else {}),
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        "properties": {
            "security-severity": _SCORES[finding.severity],
            "tags": ["security"],
        },
    }


def _address_of(source: str) -> str | None:
    for name, address in _SOURCES:
        if name in source:
            return address
    number = _RFC.search(source)
    return f"https://www.rfc-editor.org/rfc/rfc{number[1]}" if number else None


def _result(one: JudgedFinding, number: int) -> dict[str, Any]:
    finding = one.finding
    places = ", ".join(finding.places) or "no place of its own"
    return {
        "ruleId": finding.rule,
        "ruleIndex": number,
        "level": _LEVELS[finding.severity],
        "message": {
            "text": _plain(f"{finding.title}: {finding.detail} (at {places}){one.beside()}")
        },
        "locations": [_location(place) for place in finding.places],
        "partialFingerprints": {FINGERPRINT: finding.fingerprint},
        # 3.27.23: an empty list says that it isn't suppressed, none that nobody knows.
        "suppressions": [
            {
                "kind": "external",
                "status": "accepted",
                "justification": f"{by.waiver.reason} ({by.waiver.owner}, until "
                f"{by.waiver.expires})",
            }
            for by in (one.accepted.by if one.standing is Standing.WAIVED else ())
        ],
        **_exchanged(finding.exchange),
        "properties": {
            "severity": finding.severity,
            "standing": one.standing,
            "check": finding.check,
            "remedy": finding.remedy,
            "found": finding.at.isoformat(),
            **({"curl": finding.curl} if finding.curl else {}),
            **({"exchange": finding.exchange} if finding.exchange else {}),
        },
    }


def _location(place: str) -> dict[str, Any]:
    """A place by its name, and by its address where it has one."""
    location: dict[str, Any] = {
        "logicalLocations": [{"fullyQualifiedName": place, "kind": "resource"}]
    }
    if request := _REQUEST.match(place):
        # 3.4.4: relative to the base that is named beside it.
        path = quote(request["path"].lstrip("/"), safe="/?=&;,:@!$'()*+~%-._") or "."
        artifact = {"uri": path, "uriBaseId": request["base"].upper()}
        location["physicalLocation"] = {"artifactLocation": artifact}
    elif _HOST.match(place):
        location["physicalLocation"] = {"artifactLocation": {"uri": f"//{place}"}}
    return location


def _exchanged(exchange: str) -> dict[str, Any]:
    """The first request that a finding tells of, and the answer to it."""
    lines = exchange.splitlines()
    asked = _ASKED.match(lines[0]) if lines else None
    if asked is None:
        return {}
    sent = [line for line in lines[1:] if line.startswith(">")]
    got = [line for line in lines if line.startswith("<")]
    told: dict[str, Any] = {
        "webRequest": {"method": asked[1], "target": asked[2], **_headers_and_body(sent)}
    }
    status = _STATUS.match(got[0]) if got else None
    if status:
        told["webResponse"] = {"statusCode": int(status[1]), **_headers_and_body(got[1:])}
    return told


def _headers_and_body(lines: list[str]) -> dict[str, Any]:
    headers: dict[str, str] = {}
    count = 0
    for line in lines:
        header = _HEADER.match(line)
        if header is None:
            break
        count += 1
        headers[header[1]] = (
            f"{headers[header[1]]}, {header[2]}" if header[1] in headers else header[2]
        )
    body = "\n".join(line[2:] for line in lines[count:])
    return {"headers": headers, **({"body": {"text": body}} if body else {})}


def _invocation(account: Account) -> dict[str, Any]:
    """How the run went; no result is no good news where nothing was looked at."""
    end = account.evidence.end
    return {
        "executionSuccessful": end is not None and end.exit_status in ENDED_NORMALLY,
        "startTimeUtc": _utc(account.run.started.isoformat()),
        "endTimeUtc": _utc(account.ended.isoformat()),
        "exitCode": account.exit_code,
        "exitCodeDescription": account.sentence,
        "toolExecutionNotifications": list(_notifications(account)),
    }


def _utc(moment: str) -> str:
    return moment.replace("+00:00", "Z")


def _notifications(account: Account) -> Iterator[dict[str, Any]]:
    """What wasn't looked at, and why."""
    checks = [one for one in account.evidence.plan if one.category == Category.SECURITY]
    outcomes = {one.id: one for one in account.evidence.outcomes}
    if not any(check.left_out is None for check in checks):
        yield _notification("error", "no check of security was carried out")
    for check in checks:
        why = _why_unseen(check, outcomes.get(check.id), account.verdict.findings)
        if why:
            level = "error" if check.left_out is None else "note"
            yield _notification(level, f"{check.id}: {why}")


def _why_unseen(
    check: PlannedCheck, outcome: CheckOutcome | None, found: Iterable[JudgedFinding]
) -> str | None:
    if check.left_out is not None:
        return f"left out: {check.left_out}"
    if outcome is None:
        return "it did not report"
    of_check = [one for one in found if one.finding.check == check.id]
    if outcome.outcome in _LOOKED or is_failed_by(outcome, of_check):
        return None
    return outcome.message or f"it was {outcome.outcome.replace('_', ' ')}"


def _notification(level: str, text: str) -> dict[str, Any]:
    return {"level": level, "message": {"text": _plain(text)}}


def _plain(text: str) -> str:
    """A message's text, in which braces would stand for arguments (3.11.5)."""
    return text.replace("{", "{{").replace("}", "}}")
