"""A program by itself: tells each of the addresses on its standard input, all at once.

It imports nothing of the gate, so that it starts in no time and finds what it needs from anywhere.
Of each address it writes a line with its number and what went wrong, as soon as that is known.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import Any

_TYPES = {"critical": "failure", "warning": "warning", "info": "success"}

_LONGEST = 500
"""Characters of what went wrong: a line that pipes take whole, whoever else writes."""


class _Complaints(logging.Handler):
    """Keeps what Apprise said last."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.last = record.getMessage()


def main() -> None:
    """Tell all of them, each from a process of its own."""
    told: dict[str, Any] = json.load(sys.stdin)
    try:
        import apprise  # noqa: F401, PLC0415  # once for all; its absence is told as an answer
    except ImportError:
        why = (
            "Apprise isn't installed. Install it: pip install "
            "'pytest-deployment-gate[notifications]'"
        )
        for number, _ in enumerate(told["addresses"], start=1):
            _answer(number, why)
        return
    processes = []
    for number, address in enumerate(told["addresses"], start=1):
        # Apprise has threads of its own, which tell nobody whose complaint is whose.
        process = os.fork()
        if process == 0:
            _tell(number, address, told)
            # A service may have left threads behind that wait for something.
            os._exit(0)
        processes.append(process)
    for process in processes:
        os.waitpid(process, 0)


def _tell(number: int, address: str, told: dict[str, Any]) -> None:
    try:
        why = _try(address, told)
    except Exception as error:  # noqa: BLE001  # each service has its own; it is told as it is
        why = f"{type(error).__name__}: {error}"
    _answer(number, why)


def _answer(number: int, why: str) -> None:
    line = json.dumps({"number": number, "why": why[:_LONGEST]})
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


def _try(address: str, told: dict[str, Any]) -> str:
    """What went wrong; nothing where the service took the message."""
    import apprise  # noqa: PLC0415  # it is there by now

    complaints = _Complaints()
    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.addHandler(complaints)
    service = apprise.Apprise()
    if not service.add(address):
        return f"Apprise doesn't understand its address ({complaints.last or 'no known service'})"
    is_sent = service.notify(
        body=told["body"],
        title=told["title"],
        notify_type=_TYPES[told["level"]],
        body_format="text",
    )
    return "" if is_sent else complaints.last or "the service took no message"


if __name__ == "__main__":
    main()
