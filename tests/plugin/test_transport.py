"""Runs with the checks of transport: what they find, leave out, and leave unobserved."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugin.conftest import Project
from tests.security import tls_servers
from tests.security.tls_servers import issue, server_context

CHECKS = Path(__file__).parents[2] / "validation/security/test_transport.py"

WEB = """
required: {{full: [health], smoke: [health]}}
security: {{rate: 1000}}
web: {{base_url: "https://{address}", pages: {{start: /}}}}
"""


@pytest.fixture
def secured(project: Project) -> Project:
    """A project with those checks."""
    project.write("validation/security/test_transport.py", CHECKS.read_text(encoding="utf-8"))
    return project


def test_on_loopback_without_tls_they_are_left_out_with_a_reason(secured: Project) -> None:
    secured.environment('api: {base_url: "TARGET"}\n')

    done = secured.run("-m", "security")

    assert not done.reports.outcomes
    assert set(done.reports.left_out.values()) == {
        "here has no `tls_servers`",
        "here has no `open_addresses`",
        "here has no `plain_http`",
    }


def test_a_sound_server_passes(
    secured: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer = tls_servers.authority("Private")
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(issuer.issuers[0].pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    secured.conftest("import sys\nsys.modules['sslyze'] = None\n")

    with tls_servers.tls(server_context(issue("own", issuer).save(tmp_path))) as taking:
        secured.environment(WEB.format(address=taking.server.address))
        done = secured.run("-m", "security")

    assert done.reports.outcomes == {
        "test_certificate_is_sound[web]": "passed",
        "test_only_sound_versions_and_suites_are_taken[web]": "passed",
    }, done.output
    assert done.reports.left_out["test_sslyze_finds_nothing_more[web]"] == "sslyze isn't installed"


def test_what_is_wrong_is_found_and_holds(secured: Project, tmp_path: Path) -> None:
    context = server_context(
        issue("own").save(tmp_path, sending=0),
        oldest=tls_servers.ssl.TLSVersion.TLSv1,
        suites=tls_servers.WEAK_SUITES,
    )

    with tls_servers.tls(context) as taking:
        secured.environment(WEB.format(address=taking.server.address))
        done = secured.run("-m", "security")

    found = {one["rule"] for one in done.reports.evidence if one["type"] == "finding"}
    assert found >= {"certificate-self-signed", "tls-obsolete-version", "tls-broken-suite"}
    assert done.exit_code == 1
    assert "certificate-self-signed" in done.reports.why


def test_a_server_that_never_answers_fails_and_one_without_a_name_is_unobserved(
    secured: Project,
) -> None:
    secured.conftest("import sys\nsys.modules['sslyze'] = None\n")

    with tls_servers.silent() as taking:
        api = "api: {base_url: 'https://nowhere.invalid:8443'}\n"
        secured.environment(WEB.format(address=taking.server.address) + api)
        done = secured.run("-m", "security and smoke")

    assert done.exit_code == 1
    why = done.reports.why.splitlines()
    (web,) = [one for one in why if "test_certificate_is_sound[web]" in one]
    assert web.endswith("takes connections, but finished none within 1 s")
    (api,) = [one for one in why if "test_certificate_is_sound[api]" in one]
    assert "not observed: api nowhere.invalid:8443: the name doesn't resolve" in api
    assert "During handling" not in done.output


def test_an_address_of_plain_http_elsewhere_is_a_finding_without_a_request(
    secured: Project,
) -> None:
    secured.environment("api: {base_url: 'http://nowhere.invalid'}\n")

    done = secured.run("-m", "security")

    assert done.reports.outcomes == {"test_nothing_is_reached_over_plain_http[api]": "failed"}
    (found,) = [one for one in done.reports.evidence if one["type"] == "finding"]
    assert found["rule"] == "plain-http-only"
    assert found["severity"] == "high"
