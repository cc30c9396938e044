"""No secret reaches a file or the terminal, wherever a check puts it."""

from __future__ import annotations

import base64
import json
from itertools import repeat
from typing import TYPE_CHECKING

import pytest

from tests.plugin.conftest import Reply

if TYPE_CHECKING:
    from tests.plugin.conftest import Project, Run, Target

SECRET = "correct-horse-battery"
ENCODED = base64.b64encode(f"test:{SECRET}".encode()).decode()
TOKEN = "opaque-token-0123456789abcdef"

LOGIN = """
api:
  base_url: "TARGET"
  login: {request: POST /login}
  identities: {test: {username: test, password: "${GATE_PASSWORD}"}}
"""

LEAKING_CHECKS = f"""
    import base64, logging, os, warnings

    SECRET = os.environ["GATE_PASSWORD"]
    HEADERS = {{"Authorization": "Bearer {TOKEN}", "X-Basic": "{ENCODED}"}}

    def test_assertion():
        assert SECRET == "something else", f"the password is {{SECRET}}"

    def test_comparison_of_headers():
        assert HEADERS == {{}}

    def test_output():
        print("signing in with", SECRET)
        logging.getLogger("check").error("headers: %s", HEADERS)
        assert False

    def test_exception(record_property):
        record_property("password", SECRET)
        raise RuntimeError(base64.b64encode(f"test:{{SECRET}}".encode()).decode())

    def test_skip():
        pytest.skip(f"no user has {{SECRET}}")

    @pytest.mark.severity("warning")
    def test_warning():
        assert False, SECRET

    @pytest.fixture
    def broken():
        yield
        raise RuntimeError(SECRET)

    def test_teardown(broken, api):
        api.get("/search", params={{"password": SECRET}})
        warnings.warn(f"the password is {{SECRET}}", stacklevel=1)
"""


def leaks(done: Run) -> set[str]:
    """Where one of the secrets can be read."""
    texts = {**done.reports.texts, "the terminal": done.output}
    secrets = (SECRET, ENCODED, base64.b64encode(SECRET.encode()).decode().rstrip("="), TOKEN)
    return {name for name, text in texts.items() for secret in secrets if secret in text}


@pytest.fixture
def secret_project(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose environment has a password."""
    monkeypatch.setenv("GATE_PASSWORD", SECRET)
    project.environment(LOGIN)
    return project


@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["here", "in a worker"])
def test_what_checks_leak_reaches_no_file_and_not_the_terminal(
    secret_project: Project, workers: list[str]
) -> None:
    secret_project.check(LEAKING_CHECKS, category="api")
    done = secret_project.run("-rA", "--showlocals", "-W", "default", *workers)
    assert done.exit_code == 1
    assert done.reports.outcomes["test_assertion"] == "failed"
    assert done.reports.outcomes["test_teardown"] == "error"
    assert "[redacted]" in done.output
    assert not leaks(done)


def test_a_file_of_checks_that_leaks_while_it_is_collected_is_redacted(
    secret_project: Project,
) -> None:
    secret_project.check(
        'import os\nraise RuntimeError(os.environ["GATE_PASSWORD"])\n', category="api"
    )
    done = secret_project.run()
    assert done.exit_code == 2
    assert "[redacted]" in done.output
    assert not leaks(done)


@pytest.mark.parametrize(
    "parameter", ["SECRET", 'pytest.param(1, id=f"with {SECRET}")'], ids=["value", "id"]
)
def test_a_secret_in_the_name_of_a_check_is_refused(
    secret_project: Project, parameter: str
) -> None:
    secret_project.check(
        f"""
        import os
        SECRET = os.environ["GATE_PASSWORD"]

        @pytest.mark.parametrize("password", [{parameter}])
        def test_it(password):
            pass
        """,
        category="api",
    )
    done = secret_project.run("-v")
    assert done.exit_code == 4
    assert "the id of a check holds a secret" in done.output
    assert not leaks(done)


def test_a_secret_that_another_plugin_writes_is_removed_and_holds(
    secret_project: Project,
) -> None:
    secret_project.check("def test_it(api):\n    api.get('/')\n", category="api")
    secret_project.conftest(
        """
        import os

        def pytest_html_results_table_html(report, data):
            data.append(os.environ["GATE_PASSWORD"])
        """
    )
    done = secret_project.run()
    assert done.exit_code == 1
    assert done.reports.verdict["verdict"] == "hold"
    assert "a secret was found in report.html and removed" in done.reports.why
    assert "<h1>HOLD</h1>" in done.reports["report.html"]
    assert done.reports.is_red
    assert not leaks(done)


def test_a_token_that_a_check_was_given_is_kept_secret(secret_project: Project) -> None:
    secret_project.check(
        f"""
        def test_it(keep_secret):
            token = keep_secret("{TOKEN}")
            assert token == "", f"the token is {{token}}"
        """,
        category="api",
    )
    done = secret_project.run("--showlocals", "--tb=short")
    assert done.exit_code == 1
    assert "[redacted]" in done.reports.why
    assert TOKEN not in done.reports["evidence.jsonl"]
    assert TOKEN not in done.reports["verdict.json"]


def test_a_secret_that_an_address_takes_from_a_variable_reaches_no_file(
    project: Project, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALTH_TOKEN", "a-token-for-the-health-page")
    project.write(
        "environments/here.yaml",
        f"health_endpoints: {{api: {{url: '{target.url}/health/api?t=${{HEALTH_TOKEN}}'}}}}\n",
    )
    done = project.run()
    assert done.exit_code == 0
    assert "a-token-for-the-health-page" not in done.output
    for text in done.reports.texts.values():
        assert "a-token-for-the-health-page" not in text


JOURNEY = """
  openapi: {path: /openapi.json}
  journeys:
    look:
      steps:
        - request: GET /session
          capture: {handle: $.session_token}
          expect: {jsonpath: {$.session_token: {matches: "^nobody$"}}}
"""


def test_no_half_of_a_long_token_is_left_where_it_is_cut(
    secret_project: Project, target: Target
) -> None:
    token = "".join(f"{number:03}-token-" for number in range(40))
    target.answers["/session"] = repeat(
        Reply(
            body=json.dumps({"session_token": token}),
            headers={"Set-Cookie": f"sid=cookie-{token[:40]}; Path=/"},
        )
    )
    secret_project.environment(LOGIN.rstrip() + JOURNEY)
    secret_project.check(
        """
        def test_journey(journey):
            assert journey().went_well

        def test_comparison(api):
            token = api.get("/session").json()["session_token"]
            assert token == "somebody else's"
        """,
        category="api",
    )
    done = secret_project.run("-l", "-vv")
    assert done.exit_code == 1
    for name, text in {**done.reports.texts, "terminal": done.output}.items():
        assert token[:12] not in text, name
        assert token[-12:] not in text, name


def test_the_terminal_shows_no_secret_where_a_run_is_interrupted_or_logs_live(
    secret_project: Project,
) -> None:
    secret_project.check(
        """
        import logging, os

        def test_it():
            password = os.environ["GATE_PASSWORD"]
            logging.getLogger("check").error("the password is %s", password)
            raise KeyboardInterrupt(password)
        """,
        category="api",
    )
    done = secret_project.run("-l", "--full-trace", "-o", "log_cli=true", "-s")
    assert done.exit_code == 2
    assert "[redacted]" in done.output
    assert not leaks(done)
