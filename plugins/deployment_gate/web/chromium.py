"""Where Chromium is on this machine, and how it is started so that it stays with its target."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from deployment_gate.errors import GateError

VARIABLE = "CHROMIUM"
"""Names the browser to use, by its path or its name."""

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class BrowserMissingError(GateError):
    """There is no browser to look with."""


def find_chromium(variables: Mapping[str, str], *, own: str) -> str:
    """The browser's program: the one that a variable names, the system's, or Playwright's own.

    Args:
        variables: The process's environment.
        own: Where Playwright would have installed its own.

    Raises:
        BrowserMissingError: There is none, or not where the variable says.
    """
    named = variables.get(VARIABLE)
    if named:
        found = shutil.which(named, path=variables.get("PATH"))
        if found is None:
            raise BrowserMissingError(
                f"the variable {VARIABLE} is {named}, and no program is there. Correct it, or "
                "unset it to have a browser looked for"
            )
        return found
    for name in _NAMES:
        found = shutil.which(name, path=variables.get("PATH"))
        if found:
            return found
    if Path(own).exists():
        return own
    raise BrowserMissingError(
        "there is no Chromium to look at the web interface with. Install one "
        f"(`apt-get install chromium`, or `playwright install chromium`), or name it in {VARIABLE}"
    )


_OWN_ISSUERS = {"SSL_CERT_FILE", "SSL_CERT_DIR"}
"""Where OpenSSL is told of issuers that this machine trusts beside, or instead of, the usual."""


def launch_options(program: str, hosts: Iterable[str]) -> dict[str, Any]:
    """How Playwright starts it: with no way to any host but the environment's own.

    Chromium finds no address for any other name or number, whoever asks: pages, their workers,
    and the browser itself. Unlike Playwright's routes that leaves its cache in use.

    Args:
        program: The browser's path.
        hosts: Names and numbers that it may talk to.
    """
    rules = ", ".join(["MAP * ~NOTFOUND", *(f"EXCLUDE {host}" for host in sorted(set(hosts)))])
    # A proxy would look names up for it, and so lead anywhere.
    arguments = [f"--host-resolver-rules={rules}", "--no-proxy-server", "--disable-quic"]
    if os.environ.keys() & _OWN_ISSUERS:
        # Chromium doesn't read these. The certificates are judged by all that isn't a browser.
        arguments.append("--ignore-certificate-errors")
    return {
        "executable_path": program,
        # As root, in containers above all, Chromium's own sandbox can't be set up.
        "chromium_sandbox": os.geteuid() != 0,
        "args": arguments,
    }
