"""The kinds of values in the sections about data: addresses with passwords, sizes, shares."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Annotated, TypeAlias
from urllib.parse import parse_qs, unquote

from pydantic import BeforeValidator, SecretStr

from deployment_gate.environment.fields import Text, Written
from deployment_gate.environment.sizes import SIZE_FORMS, read_size
from deployment_gate.environment.variables import Substituted, as_written

_SECRET_AT_LEAST = 4
_CACHE_SCHEMES = ("redis", "rediss", "unix")
# SQLAlchemy's names: a dialect, and a driver where one is written.
_DATABASE_SCHEME = re.compile(r"[a-z][a-z0-9_]*(\+[a-z0-9_]+)?")
_TABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?")
# Under these names, addresses of databases have passwords after the question mark, too.
_SECRET_PARAMETERS = ("password", "passwd", "sslpassword", "ssl_password")


class SecretAddress(SecretStr):
    """An address that holds a password, and so is shown no more than the password itself."""

    @property
    def scheme(self) -> str:
        """What stands before `://`, without a driver."""
        return self.get_secret_value().partition("://")[0].partition("+")[0].lower()

    def secrets(self) -> Iterator[str]:
        """Yield what must not reach any report: the address, and each password in it.

        A password as it is written, too: libraries quote parts of an address in their errors.
        """
        yield self.get_secret_value()
        yield from _passwords(self.get_secret_value())


def _credentials(address: str) -> str:
    """Answer what stands before the host; nothing where there is no host."""
    rest = address.partition("://")[2]
    return "" if rest.startswith("/") else rest.rpartition("@")[0]


def _passwords(address: str) -> Iterator[str]:
    written = _credentials(address).partition(":")[2]
    yield from {written, unquote(written)} - {""}
    for name, values in parse_qs(address.partition("?")[2]).items():
        if name in _SECRET_PARAMETERS:
            yield from values


def _read_address(value: object, is_scheme: Callable[[str], bool], example: str) -> SecretAddress:
    if isinstance(value, SecretAddress):
        return value
    if not isinstance(value, Substituted) or not value.is_whole:
        raise ValueError(
            "addresses that hold a password come whole from the process environment. Write ${NAME}"
        )
    scheme, colon, _ = str(value).partition("://")
    if not colon or not is_scheme(scheme.lower()) or not value.isprintable() or " " in value:
        raise ValueError(f"{as_written(value)} holds no such address. Set one like {example}")
    if re.search(r"[@/?#\[\]]", _credentials(value)):
        # Each library would cut it elsewhere, and tell of a part of the password.
        raise ValueError(
            f"{as_written(value)} has one of @ / ? # [ ] where it must be quoted. "
            "Set it with %40 %2F %3F %23 %5B %5D in place of them"
        )
    if any(len(password) < _SECRET_AT_LEAST for password in _passwords(value)):
        raise ValueError(
            f"{as_written(value)} has a password of fewer than {_SECRET_AT_LEAST} characters, too "
            "few to keep it out of reports. Set a longer one"
        )
    return SecretAddress(str(value))


def _read_database_url(value: object) -> SecretAddress:
    return _read_address(
        value,
        lambda scheme: _DATABASE_SCHEME.fullmatch(scheme) is not None,
        "postgresql://NAME:PASSWORD@HOST/DATABASE",
    )


def _read_cache_url(value: object) -> SecretAddress:
    return _read_address(value, _CACHE_SCHEMES.__contains__, "redis://NAME:PASSWORD@HOST:6379/0")


def _table_name(value: object) -> object:
    if isinstance(value, str) and not _TABLE.fullmatch(value):
        raise ValueError(f"{as_written(value)} is no name of a table. Write NAME or SCHEMA.NAME")
    return value


def _read_revisions(value: object) -> tuple[str, ...]:
    given = value if isinstance(value, list | tuple) else [value]
    if not given or not all(isinstance(revision, str) and revision for revision in given):
        raise ValueError('must be a revision in quotes or a list of them. Write "ae1027a6acf"')
    return tuple(str(revision) for revision in given)


_ADDRESS_SCHEMA = {"type": "string", "pattern": r"^\$\{.*\}$"}

DatabaseUrl: TypeAlias = Annotated[
    SecretAddress,
    Written(_read_database_url, {**_ADDRESS_SCHEMA, "examples": ["${GATE_DATABASE_URL}"]}, str),
]
CacheUrl: TypeAlias = Annotated[
    SecretAddress,
    Written(_read_cache_url, {**_ADDRESS_SCHEMA, "examples": ["${GATE_CACHE_URL}"]}, str),
]
Size: TypeAlias = Annotated[
    int,
    Written(
        read_size,
        {"type": "string", "examples": list(SIZE_FORMS)},
        lambda size: f"{Decimal(size) / 1000:f} kB",
    ),
]
TableName: TypeAlias = Annotated[Text, BeforeValidator(_table_name)]
Revisions: TypeAlias = Annotated[
    tuple[str, ...],
    Written(
        _read_revisions,
        {
            "anyOf": [
                {"type": "string", "examples": ["ae1027a6acf"]},
                {"type": "array", "minItems": 1, "items": {"type": "string"}},
            ]
        },
        list,
    ),
]
