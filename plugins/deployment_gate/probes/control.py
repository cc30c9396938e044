"""Questions whose answers say nothing of the target, and all of this runner."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from deployment_gate.evidence import Observation, ObservationKind
from deployment_gate.probes.apart import run_apart
from deployment_gate.probes.sampler import Answer, Probe, Sampler

LOOPBACK = "this machine's loopback"
TIMEOUT_S = 5.0
"""How long a control may take; what takes longer is out of order."""

_ANSWER = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


def controlled_round(
    sampler: Sampler, probes: Sequence[Probe], controls: Sequence[str]
) -> list[Observation]:
    """A round with questions beside it that show whether this runner is well.

    Args:
        sampler: Asks them.
        probes: What to ask the target.
        controls: Addresses that answer wherever the runner is well.

    Returns:
        The observations of the probes, in the same order, and those of the controls.
    """

    async def ask() -> list[Observation]:
        async with _control_probes(controls) as beside:
            asked, resolved = await asyncio.gather(
                sampler.ask([*probes, *beside]), _resolve_names([*probes, *beside])
            )
            return [*asked, *resolved]

    return run_apart(ask())


@asynccontextmanager
async def _control_probes(urls: Iterable[str]) -> AsyncIterator[list[Probe]]:
    """The probes of a round's controls, with this machine's own loopback answering meanwhile."""

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_ANSWER)
        await writer.drain()
        writer.close()

    try:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
    except OSError:
        # The probe then finds nobody there, which is what it is to tell.
        server = None
    port = server.sockets[0].getsockname()[1] if server else 9
    try:
        yield [
            replace(_probe(LOOPBACK, f"http://127.0.0.1:{port}/"), read=_own_facts),
            *(_probe(url, url) for url in urls),
        ]
    finally:
        if server:
            server.close()


async def _resolve_names(probes: Sequence[Probe]) -> list[Observation]:
    """Whether this machine finds the hosts that are asked, by their names."""
    hosts = {urlsplit(probe.url).hostname or "" for probe in probes}
    return list(await asyncio.gather(*map(_resolve, sorted(filter(_is_name, hosts)))))


async def _resolve(host: str) -> Observation:
    at, started = datetime.now(UTC), time.perf_counter()
    unobserved = None
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await asyncio.get_running_loop().getaddrinfo(host, None)
    except TimeoutError:
        unobserved = f"not resolved within {TIMEOUT_S:g} s"
    except socket.gaierror as error:
        unobserved = f"the name doesn't resolve on this machine: {error.strerror}"
    return Observation(
        at=at,
        kind=ObservationKind.CONTROL,
        subject=f"the name {host}",
        duration_s=round(time.perf_counter() - started, 6),
        unobserved=unobserved,
    )


def _own_facts(_answer: Answer) -> dict[str, Any]:
    """How long it took says how busy this machine is, and nothing else."""
    return {"is_own": True}


def _probe(subject: str, url: str) -> Probe:
    return Probe(
        subject=subject,
        kind=ObservationKind.CONTROL,
        url=url,
        timeout_s=TIMEOUT_S,
        needs_own_connection=True,
    )


def _is_name(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host not in {"", "localhost"}
    return False
