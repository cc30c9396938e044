"""The `notifications` section: who is told of a verdict, by which services."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, TypeAlias
from urllib.parse import unquote

from pydantic import BeforeValidator

from deployment_gate.environment.data_fields import SecretAddress
from deployment_gate.environment.fields import Duration, Written, as_tuple
from deployment_gate.environment.sections import Section
from deployment_gate.environment.variables import Substituted, as_written

_SECRET_AT_LEAST = 4
_TOKEN_AT_LEAST = 8
_LONG_TOKEN = 24
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.ASCII)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*", re.ASCII | re.IGNORECASE)


class NotifierAddress(SecretAddress):
    """An address as Apprise understands it, which holds tokens in places of each service's own."""

    def secrets(self) -> Iterator[str]:
        """Yield what must not reach any report: the address, its password, what looks like a token.

        Services put tokens where others have a host, a path or a query, so every part is looked
        at. Ordinary words and names of hosts are none, which reports could not do without.
        """
        address = self.get_secret_value()
        yield address
        rest = address.partition("://")[2]
        authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
        password = authority.rpartition("@")[0].partition(":")[2]
        for written in (password, *re.split(r"[/:@?&=#,]", rest)):
            for part in {written, unquote(written)}:
                is_password = written == password and len(part) >= _SECRET_AT_LEAST
                if is_password or _looks_like_token(part):
                    yield part


def _looks_like_token(part: str) -> bool:
    if _HOST.fullmatch(part):
        return False
    has_both = any(map(str.isdigit, part)) and any(map(str.isalpha, part))
    return len(part) >= _LONG_TOKEN or (len(part) >= _TOKEN_AT_LEAST and has_both)


def _read_notifier(value: object) -> NotifierAddress:
    if isinstance(value, NotifierAddress):
        return value
    if not isinstance(value, Substituted) or not value.is_whole:
        raise ValueError(
            "addresses of notifiers hold tokens, so each comes whole from the process "
            "environment. Write ${NAME}"
        )
    scheme, colon, rest = str(value).partition("://")
    if not colon or not rest or not _SCHEME.fullmatch(scheme) or not value.isprintable():
        raise ValueError(
            f"{as_written(value)} holds no address of a notifier. Set one as Apprise has it, such "
            "as slack://TOKEN/TOKEN/TOKEN or mailtos://NAME:PASSWORD@HOST"
        )
    return NotifierAddress(str(value))


NotifierUrl: TypeAlias = Annotated[
    NotifierAddress,
    Written(
        _read_notifier,
        {"type": "string", "pattern": r"^\$\{.*\}$", "examples": ["${PAGER_URL}"]},
        str,
    ),
]
Notifiers: TypeAlias = Annotated[tuple[NotifierUrl, ...], BeforeValidator(as_tuple)]


class Notifications(Section):
    """Who is told of a verdict once its reports are there, by Apprise's services."""

    critical: Notifiers = ()
    """Who is told of a rollback."""
    warning: Notifiers = ()
    """Who is told of a hold."""
    info: Notifiers = ()
    """Who is told of a promote."""
    timeout: Duration = timedelta(seconds=10)
    """How long telling all of them may take."""
