"""What one second of load was: counts, and the distributions of latency."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hdrh.histogram import HdrHistogram  # type: ignore[import-untyped] # it has no types

LOWEST_US = 1
HIGHEST_US = 600_000_000
DIGITS = 3
"""What histograms hold: microseconds up to ten minutes, to three significant digits."""


@dataclass(frozen=True, slots=True)
class EndpointSecond:
    """The answers of one endpoint that arrived in one second.

    Args:
        right: Answers with the expected status and content.
        throttled: Answers with status 429.
        wrong: All others, by reason.
        from_due: The right answers' microseconds since each was due: an HdrHistogram in V2
            compressed base64, or "" where none was right.
        from_sent: The same, since each was sent.
    """

    right: int
    throttled: int
    wrong: Mapping[str, int]
    from_due: str
    from_sent: str


@dataclass(frozen=True, slots=True)
class LoadSecond:
    """All that was seen of a load in one second.

    Args:
        second: Whole seconds since the load began.
        at: Its beginning, aware, in UTC.
        users: Users that were active.
        workers: Processes that made the load.
        due: Requests that the schedule asked for.
        sent: Requests of the schedule that were sent.
        held_back: Requests of the schedule that had to wait, because too many were unanswered.
        in_flight: Requests of the schedule without an answer, at its end.
        cpu: The share of one core that each generating process used.
        lag_s: How late the generator's own heartbeat woke, in seconds (95th percentile).
        endpoints: What each endpoint answered.
    """

    second: int
    at: datetime
    users: int
    workers: int
    due: int
    sent: int
    held_back: int
    in_flight: int
    cpu: tuple[float, ...]
    lag_s: float
    endpoints: Mapping[str, EndpointSecond]

    def to_dict(self) -> dict[str, Any]:
        """The second as JSON has it."""
        return {
            **{field.name: getattr(self, field.name) for field in fields(self)},
            "at": self.at.astimezone(UTC).isoformat(timespec="milliseconds"),
            "cpu": list(self.cpu),
            "endpoints": {
                name: {**asdict(endpoint), "wrong": dict(endpoint.wrong)}
                for name, endpoint in self.endpoints.items()
            },
        }

    @classmethod
    def from_dict(cls, value: Any) -> "LoadSecond":
        """The second that `to_dict` wrote.

        Raises:
            ValueError: It is not one.
        """
        try:
            return cls(
                at=_time(value["at"]),
                lag_s=float(value["lag_s"]),
                cpu=tuple(float(share) for share in value["cpu"]),
                endpoints={
                    str(name): _endpoint(endpoint) for name, endpoint in value["endpoints"].items()
                },
                **{name: _count(value[name]) for name in _COUNTS},
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"this is no second of a load: {error!r}") from error


_COUNTS = ("second", "users", "workers", "due", "sent", "held_back", "in_flight")


def new_histogram() -> "HdrHistogram":
    """An empty histogram of microseconds."""
    from hdrh.histogram import HdrHistogram  # noqa: PLC0415 -- only where there is load

    return HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)


def merged(texts: Iterable[str]) -> "HdrHistogram":
    """One histogram of many.

    Args:
        texts: Histograms as `EndpointSecond` has them. Empty texts hold nothing.

    Returns:
        All their values, in microseconds.

    Raises:
        ValueError: One of them is no histogram.
    """
    whole = new_histogram()
    for text in texts:
        if text:
            try:
                whole.decode_and_add(text)
            except Exception as error:  # its C code and its codec raise many kinds
                raise ValueError(f"this is no histogram: {error!r}") from error
    return whole


def _endpoint(value: Mapping[str, Any]) -> EndpointSecond:
    return EndpointSecond(
        right=_count(value["right"]),
        throttled=_count(value["throttled"]),
        wrong={str(reason): _count(count) for reason, count in value["wrong"].items()},
        from_due=_text(value["from_due"]),
        from_sent=_text(value["from_sent"]),
    )


def _time(value: str) -> datetime:
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError(f"{value!r} has no zone")
    return at


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
