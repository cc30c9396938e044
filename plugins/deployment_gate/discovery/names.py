"""Names for what is found: of environments, of their entries, of variables."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Container
from urllib.parse import urlsplit

from deployment_gate.discovery.addresses import read_address
from deployment_gate.discovery.errors import DiscoveryError

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_BASE = "base"


def name_for(address: str, given: str | None) -> str:
    """Answer what the environment is called: as given, or by its host.

    Raises:
        DiscoveryError: The given name is none for a file, or the address is none.

    >>> name_for("https://www.shop.example/basket", None), name_for("http://127.0.0.1:80", None)
    ('shop', 'local')
    """
    if given is not None:
        if not _NAME.fullmatch(given) or given == _BASE:
            raise DiscoveryError(
                f"--name {given!r} can't be an environment's name. Write one in lower-case "
                f"letters, digits, - and _, which isn't {_BASE}"
            )
        return given
    host = (urlsplit(read_address(address)).hostname or "").removeprefix("www.")
    try:
        is_here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        found = slug(host.partition(".")[0])
        return {"localhost": "local", _BASE: "platform"}.get(found, found)
    return "local" if is_here else "platform"


def prefix_of(name: str) -> str:
    """Answer what the variables of an environment begin with.

    >>> prefix_of("shop-eu"), prefix_of("3rd")
    ('SHOP_EU', 'ENV_3RD')
    """
    prefix = re.sub(r"[^A-Z0-9]", "_", name.upper())
    return f"ENV_{prefix}" if prefix[:1].isdigit() else prefix


def slug(text: str, fallback: str = "platform") -> str:
    """Answer a text as a name in lower-case letters, digits, - and _.

    >>> slug("/api/v1/Health-Check"), slug("/"), slug("本")
    ('api_v1_health-check', 'platform', 'platform')
    """
    found = re.sub(r"[^a-z0-9-]+", "_", text.lower()).strip("_-")[:48].strip("_-")
    return found or fallback


def unused(name: str, used: Container[str]) -> str:
    """Answer a name that isn't used yet.

    >>> unused("health", {"health", "health_2"})
    'health_3'
    """
    number = 1
    while (candidate := name if number == 1 else f"{name}_{number}") in used:
        number += 1
    return candidate
