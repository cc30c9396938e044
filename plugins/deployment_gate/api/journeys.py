"""Takes journeys: one step after another, and cleaning up in any case."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from deployment_gate.api.answers import read_source, with_query
from deployment_gate.api.expectations import Seen, unmet
from deployment_gate.environment import fill, fill_text, names_in
from deployment_gate.errors import GateError

if TYPE_CHECKING:
    from deployment_gate.environment import Journey, Step

_SECRETIVE = re.compile(r"(?:^|[_-])(?:token|secret|passw(?:or)?d|api_?key)$", re.IGNORECASE)
_SHORTEST_SECRET = 8
"""Characters; anything shorter may well be a part of ordinary words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What a journey is taken with.

    Attributes:
        client: The client of an identity, a stranger's for None.
        note_step: Takes the name of the step that begins.
        keep_secret: Takes a captured value that no report may show.
        schema_errors: Says what a document lacks to fit a JSON schema, or a place in the OpenAPI
            document.
        sleep: Waits for so many seconds.
    """

    client: Callable[[str | None], httpx.Client]
    note_step: Callable[[str | None], None]
    keep_secret: Callable[[str], None]
    schema_errors: Callable[[Mapping[str, Any] | str, object], list[str]]
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True, repr=False)
class JourneyRun:
    """How a journey went.

    Attributes:
        name: Its name in the environment file.
        complaints: What went wrong, a sentence each; none when all went well.
    """

    name: str
    complaints: tuple[str, ...]

    def __repr__(self) -> str:
        return self.name

    @property
    def went_well(self) -> bool:
        """Whether each step was answered as expected, cleaning up included."""
        return not self.complaints

    @property
    def account(self) -> str:
        """What went wrong, the first on a line of its own."""
        return "\n".join(self.complaints)


@dataclass(slots=True)
class _Traveller:
    """Takes the steps of one journey, and knows what was captured on the way."""

    way: Way
    values: dict[str, object]
    written: str | None = None
    """The last request that may have made something: one that wasn't refused."""

    def take(self, step: Step, *, called: str) -> list[str]:
        """Take a step, again and again where it may be; what is wrong with its last attempt."""
        retry = step.retry
        deadline = time.monotonic() + (retry.timeout.total_seconds() if retry else 0)
        attempt = 1
        while True:
            self.way.note_step(called if attempt == 1 else f"{called}, attempt {attempt}")
            complaints = self._attempt(step)
            pause_s = retry.interval.total_seconds() if retry else 0
            if not complaints or not retry or time.monotonic() + pause_s > deadline:
                break
            self.way.sleep(pause_s)
            attempt += 1
        times = f" ({attempt} attempts)" if attempt > 1 else ""
        return [f"{called}{times}: {complaint}" for complaint in complaints]

    def _attempt(self, step: Step) -> list[str]:
        is_writing = not step.request.is_reading
        try:
            client = self.way.client(step.identity)
            if is_writing:
                self.written = str(step.request)
            answer = self._send(client, step)
            if is_writing and answer.is_client_error:
                self.written = None
            # Before it is judged: what was made must be known, to be removed.
            missing = self._capture(step, answer)
            # The answer's own time: signing in isn't the step's.
            seen = Seen(answer=answer, duration_s=answer.elapsed.total_seconds())
            found = unmet(
                step.expect, seen, values=self.values, schema_errors=self.way.schema_errors
            )
        except (httpx.HTTPError, GateError, ValueError, AssertionError) as error:
            return [str(error)]
        return found or missing

    def _send(self, client: httpx.Client, step: Step) -> httpx.Response:
        values = self.values
        path = fill_text(step.request.path, values, quote=lambda text: quote(text, safe=""))
        form = step.form
        return client.request(
            step.request.method,
            with_query(path, fill(step.query, values)),
            headers={name: fill_text(text, values) for name, text in step.headers.items()},
            json=None if step.body is None else fill(step.body, values),
            data=None if form is None else fill(form, values),
        )

    def _capture(self, step: Step, answer: httpx.Response) -> list[str]:
        missing = []
        for name, source in step.capture.items():
            value = read_source(source, answer)
            if value is None:
                missing.append(f"there is nothing in {source} for {{{{{name}}}}}")
                continue
            if _SECRETIVE.search(name) and len(str(value)) >= _SHORTEST_SECRET:
                self.way.keep_secret(str(value))
            self.values[name] = value
        return missing


def take_journey(name: str, journey: Journey, way: Way, values: Mapping[str, object]) -> JourneyRun:
    """Take a journey's steps until one goes wrong, then its clean-up steps, all of them.

    Args:
        name: Its name in the environment file.
        journey: Its steps.
        way: What they are taken with.
        values: What stands for `run` and the like.
    """
    traveller = _Traveller(way, dict(values))
    complaints: list[str] = []
    try:
        for number, step in enumerate(journey.steps, start=1):
            complaints = traveller.take(step, called=f"step {number}, {_name(step)}")
            if complaints:
                break
    except BaseException as error:
        # The check's time is up, say: what was made is removed all the same.
        for complaint in _clean_up(journey, traveller):
            error.add_note(complaint)
        raise
    else:
        complaints += _clean_up(journey, traveller)
    finally:
        way.note_step(None)
    return JourneyRun(name, tuple(complaints))


def _clean_up(journey: Journey, traveller: _Traveller) -> list[str]:
    """Take all clean-up steps, whatever becomes of one of them; what went wrong."""
    complaints = []
    interruption: BaseException | None = None
    for step in journey.cleanup or ():
        called = f"cleaning up, {_name(step)}"
        missing = sorted(set(_names(step)) - traveller.values.keys())
        if missing:
            if traveller.written:
                complaints.append(
                    f"{called}: left out, since nothing gave {{{{{missing[0]}}}}}. See whether "
                    f"{traveller.written} made something, and remove it by hand"
                )
            continue
        try:
            complaints += traveller.take(step, called=called)
        except BaseException as error:
            if interruption is not None:
                raise
            complaints.append(f"{called}: cut off by {error or type(error).__name__}")
            interruption = error
    if interruption is not None:
        for complaint in complaints:
            interruption.add_note(complaint)
        raise interruption
    return complaints


def _name(step: Step) -> str:
    return step.name or str(step.request)


def _names(step: Step) -> list[str]:
    return [
        name
        for template in (
            *(step.request.path, step.query, step.headers, step.body, step.form),
            *step.expect.templates(),
        )
        for name in names_in(template)
    ]
