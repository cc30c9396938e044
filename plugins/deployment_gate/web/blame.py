"""Whose fault it is that a page didn't load, by Chromium's own words."""

from __future__ import annotations

import re

from deployment_gate.probes.blame import Blame

NO_PAGE = ", not a page"
"""So ends what is said of pictures and files, to which links lead, too."""

# net/base/net_error_list.h of Chromium: what says that this machine, or the way from it, is the
# trouble. As for requests: no name, no way, no connection at all, and an issuer nobody trusts.
# ERR_FAILED is what it has no word for; the end of its own network process is told so, too.
# fmt: off
_RUNNERS = frozenset({
    "ERR_ACCESS_DENIED", "ERR_ADDRESS_INVALID", "ERR_ADDRESS_UNREACHABLE",
    "ERR_BLOCKED_BY_ADMINISTRATOR", "ERR_BLOCKED_BY_CLIENT", "ERR_CERT_AUTHORITY_INVALID",
    "ERR_CONNECTION_TIMED_OUT", "ERR_DNS_TIMED_OUT", "ERR_FAILED", "ERR_FILE_NOT_FOUND",
    "ERR_ICANN_NAME_COLLISION", "ERR_INSUFFICIENT_RESOURCES", "ERR_INTERNET_DISCONNECTED",
    "ERR_NAME_NOT_RESOLVED", "ERR_NAME_RESOLUTION_FAILED", "ERR_NETWORK_ACCESS_DENIED",
    "ERR_NETWORK_CHANGED", "ERR_NETWORK_IO_SUSPENDED", "ERR_OUT_OF_MEMORY",
    "ERR_PROXY_CONNECTION_FAILED", "ERR_TUNNEL_CONNECTION_FAILED", "ERR_UNSAFE_PORT",
})
# fmt: on


def blame_of(message: str, *, within_s: float) -> Blame:
    """Whose fault a navigation's error is.

    Args:
        message: Playwright's.
        within_s: How long the page had.
    """
    found = re.search(r"net::(ERR_\w+)", message)
    if "Download is starting" in message:
        return Blame(error=f"it is a file to be kept{NO_PAGE}")
    if found is None:
        return Blame(error=f"it didn't load within {within_s:g} s")
    words = found[1].removeprefix("ERR_").replace("_", " ").lower()
    if found[1] in _RUNNERS:
        return Blame(unobserved=f"the browser didn't get there: {words} ({found[1]})")
    return Blame(error=f"it didn't load: {words} ({found[1]})")
