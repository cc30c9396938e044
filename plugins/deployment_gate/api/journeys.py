"""Takes journeys: one step after another, and cleaning up in any case."""

from __future__ import annotations

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

_SECRETIVE = ("token", "secret", "password", "key")


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
        started = time.perf_counter()
        try:
            answer = self._send(step)
        except (httpx.HTTPError, GateError) as error:
            return [str(error)]
        seen = Seen(answer=answer, duration_s=time.perf_counter() - started)
        # Before it is judged: what was made must be known, to be removed.
        missing = self._capture(step, answer)
        found = unmet(step.expect, seen, values=self.values, schema_errors=self.way.schema_errors)
        return found or missing

    def _send(self, step: Step) -> httpx.Response:
        values = self.values
        path = fill_text(step.request.path, values, quote=lambda text: quote(text, safe=""))
        form = step.form
        return self.way.client(step.identity).request(
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
            if any(word in name.lower() for word in _SECRETIVE):
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
    finally:
        # Also when the check's time is up: what was made is removed.
        complaints += _clean_up(journey, traveller)
        way.note_step(None)
    return JourneyRun(name, tuple(complaints))


def _clean_up(journey: Journey, traveller: _Traveller) -> list[str]:
    complaints = []
    for step in journey.cleanup or ():
        if set(_names(step)) <= traveller.values.keys():
            complaints += traveller.take(step, called=f"cleaning up, {_name(step)}")
    return complaints


def _name(step: Step) -> str:
    return step.name or str(step.request)


def _names(step: Step) -> list[str]:
    return [
        name
        for template in (step.request.path, step.query, step.headers, step.body, step.form)
        for name in names_in(template)
    ]
