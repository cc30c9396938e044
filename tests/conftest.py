"""What the tests share: pytest's own fixtures for testing plugins, and real servers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Playwright

from deployment_gate.web.chromium import find_chromium, launch_options
from tests import servers

pytest_plugins = ["pytester"]

# Where these tests run in a step of GitHub Actions, the runs within them must not tell of
# themselves there.
for _name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
    os.environ.pop(_name, None)

# Small projects of the tests have no settings of pytest's that leave Schemathesis' plugin out,
# which would cost each run within them a second.
os.environ["PYTEST_ADDOPTS"] = "-p no:schemathesis"


@pytest.fixture(scope="session")
def postgresql_cluster() -> Iterator[tuple[servers.PostgreSQL, Callable[..., servers.PostgreSQL]]]:
    """A real PostgreSQL server with a role of each kind, and what makes a standby of it."""
    access = ("local all keyholder scram-sha-256", "local all all trust")
    with servers.postgresql("max_prepared_transactions=4", access=access) as cluster:
        cluster[0].run(
            "CREATE ROLE monitor LOGIN IN ROLE pg_monitor",
            f"CREATE ROLE keyholder LOGIN PASSWORD '{servers.PASSWORD}' IN ROLE pg_monitor",
            "CREATE ROLE narrow LOGIN",
            "CREATE ROLE nobody_yet NOLOGIN",
            "CREATE ROLE owner LOGIN SUPERUSER",
            "ALTER ROLE owner SET log_statement = 'all'",
        )
        yield cluster


@pytest.fixture(scope="session")
def postgresql_server(postgresql_cluster: tuple[servers.PostgreSQL, object]) -> servers.PostgreSQL:
    """A real PostgreSQL server of the tests' own, for all tests of this process."""
    return postgresql_cluster[0]


@pytest.fixture(scope="session")
def postgresql_standby(
    postgresql_cluster: tuple[servers.PostgreSQL, Callable[..., servers.PostgreSQL]],
) -> servers.PostgreSQL:
    """A real streaming standby of the server."""
    make_standby = postgresql_cluster[1]
    return make_standby("max_prepared_transactions=4", "wal_receiver_status_interval=1s")


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """One browser for all tests of this process, as the gate starts it."""
    program = find_chromium(os.environ, own=playwright.chromium.executable_path)
    browser = playwright.chromium.launch(**launch_options(program, ["127.0.0.1"]))
    yield browser
    browser.close()
