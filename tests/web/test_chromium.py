"""Where the browser is found, and that it stays with its target."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Error, Page, Playwright

from deployment_gate.web.chromium import BrowserMissingError, find_chromium, launch_options


def program(folder: Path, name: str) -> str:
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_the_variable_comes_before_the_systems_browser(tmp_path: Path) -> None:
    program(tmp_path, "chromium")
    mine = program(tmp_path, "mine")

    assert find_chromium({"CHROMIUM": mine, "PATH": str(tmp_path)}, own="") == mine


def test_the_systems_browser_comes_before_playwrights_own(tmp_path: Path) -> None:
    systems, own = program(tmp_path, "chromium-browser"), program(tmp_path, "own")

    assert find_chromium({"PATH": str(tmp_path)}, own=own) == systems


def test_playwrights_own_is_taken_where_the_system_has_none(tmp_path: Path) -> None:
    own = program(tmp_path, "own")

    assert find_chromium({"PATH": "/nowhere"}, own=own) == own


def test_no_browser_is_an_error_that_says_how_to_get_one() -> None:
    with pytest.raises(BrowserMissingError, match="apt-get install chromium"):
        find_chromium({"PATH": "/nowhere"}, own="/nowhere/chrome")


def test_a_variable_that_names_nothing_is_an_error_that_says_so(tmp_path: Path) -> None:
    program(tmp_path, "chromium")

    with pytest.raises(BrowserMissingError, match="CHROMIUM is /gone"):
        find_chromium({"CHROMIUM": "/gone", "PATH": str(tmp_path)}, own="")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.2:8099/", "http://localhost:8099/", "http://[::1]:8099/"]
)
def test_the_browser_finds_no_other_host(url: str, tab: Page, playwright: Playwright) -> None:
    del playwright
    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        tab.goto(url)


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_own_issuers_which_chromium_cannot_read_are_left_to_the_other_checks(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    assert "--ignore-certificate-errors" not in launch_options("chromium", ["shop"])["args"]

    monkeypatch.setenv(variable, "/etc/issuers")

    assert "--ignore-certificate-errors" in launch_options("chromium", ["shop"])["args"]
