"""The libraries that databases and caches are asked with, which not every project has installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from deployment_gate.errors import GateError

_OF_THE_EXTRA = {None, "sqlalchemy", "psycopg", "redis"}


class LibraryMissingError(GateError):
    """A library that the environment's databases or caches need isn't installed."""


@contextmanager
def library_needed(what: str) -> Iterator[None]:
    """Around an import: says how to install what is missing.

    Args:
        what: What can't be asked without it.

    Raises:
        LibraryMissingError: It isn't installed.
    """
    try:
        yield
    except ImportError as error:
        package = error.name.partition(".")[0] if error.name else None
        advice = (
            'Run: pip install "pytest-deployment-gate[data]"'
            if package in _OF_THE_EXTRA
            else "Install the package that brings it, or name another driver in the address"
        )
        raise LibraryMissingError(
            f"{what} can't be asked: {package or 'a library'} isn't installed here ({error}). "
            f"{advice}"
        ) from error
