"""Amounts of data as people write them: `50 GB`, `512 MiB`, `1.5TB`."""

import re
from decimal import Decimal

from deployment_gate.environment.variables import as_written

# size   ::= NUMBER UNIT
# NUMBER ::= digits [ "." digits ]       case and the amount of space don't matter
# IEC 80000-13: kB, MB, ... are powers of 1000; KiB, MiB, ... are powers of 1024.
_PREFIXES = ("k", "M", "G", "T")
_UNITS = {
    **{f"{prefix}b".lower(): 1000**power for power, prefix in enumerate(_PREFIXES, start=1)},
    **{f"{prefix}ib".lower(): 1024**power for power, prefix in enumerate(_PREFIXES, start=1)},
}
_SIZE = re.compile(r"(?P<number>[0-9]{1,12}(?:\.[0-9]{1,9})?) ?(?P<unit>[kmgt]i?b)", re.IGNORECASE)
SIZE_FORMS = ("50 GB", "512 MiB", "1.5 TB")


def parse_size(text: str) -> int:
    """Read an amount of data.

    Returns:
        Bytes.

    Raises:
        ValueError: It isn't understood, has no unit, or isn't above zero.

    >>> parse_size("50 GB"), parse_size("512 MiB")
    (50000000000, 536870912)
    """
    found = _SIZE.fullmatch(" ".join(text.split()))
    if found is None:
        raise ValueError(
            f"{as_written(text)} isn't understood as a size. Write it as in "
            f"{', '.join(SIZE_FORMS)}; units are kB, MB, GB, TB and KiB, MiB, GiB, TiB"
        )
    size = int(Decimal(found["number"]) * _UNITS[found["unit"].lower()])
    if size < 1:
        raise ValueError(f"{as_written(text)} isn't above zero. Write a size such as 50 GB")
    return size


def read_size(value: object) -> int:
    """Read an amount of data from a YAML value; a bare number has no unit and is refused."""
    if not isinstance(value, str):
        forms = ", ".join(SIZE_FORMS)
        raise ValueError(f"must be a size with its unit. Write it as in {forms}")  # noqa: TRY004 - pydantic's protocol
    return parse_size(value)


def format_size(size: float) -> str:
    """Write an amount of bytes for people, to three digits.

    >>> format_size(50_000_000_000), format_size(1_234_567), format_size(12)
    ('50 GB', '1.23 MB', '0.012 kB')
    """
    power = max((power for power in range(1, len(_PREFIXES) + 1) if size >= 1000**power), default=1)
    return f"{size / 1000**power:.3g} {_PREFIXES[power - 1]}B"
