"""What the supervisor tells its two server processes."""

import json
from dataclasses import asdict, dataclass


@dataclass(slots=True, frozen=True)
class Settings:
    """One sandbox's settings, handed to each process as one line of JSON.

    With certificates in `tls_dir` both parts answer over TLS alone, and `plain_url` leads there.
    """

    release: str
    state_dir: str
    api_url: str
    web_url: str
    database_url: str
    access_log: str | None
    tls_dir: str | None = None
    plain_url: str | None = None

    def to_line(self) -> bytes:
        """Return the settings as one line."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> "Settings":
        """Read what `to_line` wrote."""
        return cls(**json.loads(line))
