"""The environments of the platform itself."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from deployment_gate.environment import Environment, environment_names, load_environment

ENVIRONMENTS = Path(__file__).parents[2] / "environments"
RUNBOOK = Path(__file__).with_name("runbook.yaml")
NAMES = ["development", "disaster-recovery", "production", "sandbox", "sandbox-tls", "staging"]
PASSWORDS = {
    f"{name}_TEST_PASSWORD": "a-password-for-tests"
    for name in ("STAGING", "PRODUCTION", "DISASTER_RECOVERY")
} | {"STAGING_ADMIN_PASSWORD": "a-password-for-tests", "SANDBOX_TLS_DIR": "sandbox-tls"}


def loaded(name: str) -> Environment:
    """Load one of the platform's environments."""
    return load_environment(name, ENVIRONMENTS, variables=PASSWORDS)


def test_there_is_one_environment_for_each_place() -> None:
    assert environment_names(ENVIRONMENTS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_environment_has_the_runbooks_tables(name: str) -> None:
    environment = loaded(name)
    assert list(environment.health_endpoints) == [
        "api_service",
        "web_interface",
        "database",
        "cache",
    ]
    assert list(environment.rollback_triggers) == [
        "health_check_failure",
        "error_rate_threshold",
        "performance_degradation",
    ]
    assert environment.required_categories("smoke") == ("health", "api", "frontend")


@pytest.mark.parametrize("name", NAMES)
def test_no_environment_reaches_for_the_container_network(name: str) -> None:
    environment = loaded(name)
    assert environment.api
    assert environment.web
    urls = [environment.api.base_url, environment.web.base_url]
    urls += [endpoint.url for endpoint in environment.health_endpoints.values()]
    urls += [endpoint.url for endpoint in environment.release_identity.values()]
    assert {urlsplit(url).hostname for url in urls}.isdisjoint({"api-service", "web-interface"})


@pytest.mark.parametrize(
    ("name", "leave"),
    [
        ("sandbox", {"writes", "load", "burst"}),
        ("development", {"writes"}),
        ("staging", {"writes", "load"}),
        ("production", set()),
        ("disaster-recovery", set()),
    ],
)
def test_each_environment_gives_the_leave_that_it_should(name: str, leave: set[str]) -> None:
    allow = loaded(name).allow.model_dump()
    assert {kind for kind, is_allowed in allow.items() if is_allowed} == leave


def test_the_sandbox_needs_no_variable_and_follows_its_ports() -> None:
    sandbox = load_environment(
        "sandbox", ENVIRONMENTS, variables={"SANDBOX_API_PORT": "1234", "SANDBOX_WEB_PORT": "5678"}
    )
    assert sandbox.launch
    assert sandbox.launch.command == "python -m sandbox up --api-port 1234 --web-port 5678"
    assert sandbox.launch.ready == "http://127.0.0.1:1234/health"
    assert sandbox.web
    assert sandbox.web.base_url == "http://127.0.0.1:5678"


@pytest.mark.parametrize("file", sorted(ENVIRONMENTS.glob("*.yaml")), ids=str)
def test_every_file_names_its_schema_in_its_first_line(file: Path) -> None:
    first = file.read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=environment.schema.json"


def test_base_has_every_table_as_the_runbook_writes_it() -> None:
    runbook = yaml.safe_load(RUNBOOK.read_text(encoding="utf-8"))
    base = yaml.safe_load((ENVIRONMENTS / "base.yaml").read_text(encoding="utf-8"))
    assert len(runbook) == 5
    assert {table: base[table] for table in runbook} == runbook
