"""What a locustfile of this suite is written with: users whose requests keep to a schedule.

It runs in Locust's processes alone: to import it is to have the standard library patched.
"""

import heapq
import json
import math
import os
import random
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, cast
from weakref import WeakKeyDictionary

import gevent
from gevent.pool import Pool
from locust import FastHttpUser, LoadTestShape, events
from locust.env import Environment
from locust.event import EventHook
from locust.runners import MasterRunner, WorkerRunner

from deployment_gate.load.connections import Answer, Connections
from deployment_gate.load.pace import Pace, phase_of
from deployment_gate.load.plan import (
    OUTPUT_VARIABLE,
    PASSWORD_VARIABLE,
    USERNAME_VARIABLE,
    VARIABLE,
    LoadPlan,
)
from deployment_gate.load.recording import Collecting, Recording, clock, write_line
from deployment_gate.load.seconds import LoadSecond

__all__ = ["Answer", "PacedUser", "password", "username"]

_MESSAGE = "deployment_gate_second"
# How many requests of one user may be unanswered at once.
_UNANSWERED = 32
# How long after its end a load waits for answers, and where there are workers, for their last word.
_REST_S = 1.2
_REST_OF_WORKERS_S = 2.5
# A worker that hears of a load that has run for longer joins it where it is.
_LATE_S = 2.0
_RETRY_S = 1.0
# Linux wakes gevent at whole milliseconds, the next one rather than the last: about so much late.
_ROUNDED_S = 0.00075
_LONGEST_REASON = 100


def username(default: str = "test") -> str:
    """The name to sign in with."""
    return os.environ.get(USERNAME_VARIABLE, default)


def password(default: str) -> str:
    """The password to sign in with.

    Args:
        default: What is used where none is given.
    """
    return os.environ.get(PASSWORD_VARIABLE, default)


class _Load:
    """A load as one process knows it: its plan, its recording, and which users it has."""

    def __init__(self, plan: LoadPlan, recording: Recording, *, worker: int) -> None:
        self.plan = plan
        self.pace = Pace(plan)
        self.recording = recording
        self._worker = worker
        self._left: list[int] = []
        self._numbers = 0

    def take_number(self) -> int:
        """The lowest number that no user of this process has."""
        if self._left:
            return heapq.heappop(self._left)
        self._numbers += 1
        return self._numbers - 1

    def give_back(self, number: int) -> None:
        """A user has ended."""
        heapq.heappush(self._left, number)

    def phase_of(self, number: int) -> float:
        """Where in a round that user asks."""
        return phase_of(number, worker=self._worker, users=self.plan.users)


_LOADS: WeakKeyDictionary[Environment, _Load] = WeakKeyDictionary()


class _Request(gevent.Greenlet):  # type: ignore[type-arg] # it isn't generic when it runs
    """One request of the schedule, with its moment until a task has used it."""

    due: float | None = None


class PacedUser(FastHttpUser):
    """A user whose tasks are due at set times, whether or not earlier ones have been answered.

    A task asks once, by `ask`. Without a plan, Locust paces it by its `wait_time`.
    """

    abstract = True

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._load = _LOADS.get(environment)
        timeout_s = self._load.plan.timeout_s if self._load else self.network_timeout
        self._connections = Connections(self.host or "", timeout_s)
        self._pool = Pool(_UNANSWERED, greenlet_class=_Request)
        self._renewing: gevent.Greenlet[[float], None] | None = None
        self._number = -1
        self._phase = 0.0
        # Rounds: the next to be sent, and up to which they are counted as due, or as held back.
        self._next = self._counted = self._held = 0
        self._held_now = 0

    def sign_in(self) -> float | None:
        """Sign in, where users have to; a locustfile says how.

        Returns:
            For how many seconds that holds; None: for ever.

        Raises:
            LookupError: It failed. It is tried again, while the user asks all the same.
        """
        return None

    def on_start(self) -> None:
        """Sign in, and keep the pace as long as there is one."""
        wait_s = self._try_to_sign_in()
        if wait_s is not None:
            self._renewing = gevent.spawn(self._keep_signed_in, wait_s)
        if self._load:
            self._number = self._load.take_number()
            self._phase = self._load.phase_of(self._number)
            self._keep_pace(self._load)

    def on_stop(self) -> None:
        """Leave what isn't answered."""
        if self._renewing:
            self._renewing.kill(block=False)
        if self._load and self._number >= 0:
            self._load.recording.remove(self)
            self._load.give_back(self._number)
        self._pool.kill(block=False)
        self._connections.close()

    def ask(  # noqa: PLR0913 -- what is asked, and what a right answer is
        self,
        method: str,
        path: str,
        *,
        name: str,
        holds: Callable[[Answer], bool] | str,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        status: int = HTTPStatus.OK,
    ) -> Answer | None:
        """Ask, and see whether the answer is right.

        Args:
            method: GET, POST, ...
            path: With its query.
            name: What statistics call the endpoint.
            holds: What a right answer's content fulfils, or a text that it contains.
            headers: What is sent besides.
            body: A value that is sent as JSON; None: nothing.
            status: What a right answer has.

        Returns:
            The answer where it is right.
        """
        greenlet = gevent.getcurrent()
        due = None
        if isinstance(greenlet, _Request):
            due, greenlet.due = greenlet.due, None
        recording = self._load.recording if self._load else None
        if recording and due is not None:
            recording.begin_request()
        sent = clock()
        answer: Answer | None = None
        reason = ""
        try:
            answer = self._send(method, path, headers or {}, body)
            done = clock()
            reason = _fault(answer, status, holds)
        except Exception as error:  # noqa: BLE001 -- whatever a target does is an answer of its own
            done = clock()
            reason = f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
        finally:
            if recording and due is not None:
                recording.end_request()
        if recording is None:
            self._tell_locust(method, name, done - sent, answer, reason)
        elif answer is not None and answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            recording.add_throttled(name)
        elif reason:
            recording.add_wrong(name, reason)
        else:
            recording.add_right(name, due=sent if due is None else due, sent=sent, done=done)
        return None if reason else answer

    def count_due(self, until_s: float) -> tuple[int, int]:
        """How many became due since it was asked last, and how many had to wait."""
        if self._load is None:
            return 0, 0
        until_s = min(until_s, self._load.plan.duration_s)
        end = math.ceil(self._load.pace.rounds_at(until_s) - self._phase)
        due = max(end - self._counted, 0)
        self._counted += due
        begin = max(self._next, self._held)
        held_back = max(end - begin, 0) if self._pool.full() else 0
        self._held = max(begin + held_back, self._held)
        held_back, self._held_now = held_back + self._held_now, 0
        return due, held_back

    def _keep_pace(self, load: _Load) -> None:
        recording, pace, phase = load.recording, load.pace, self._phase
        self._next = math.ceil(pace.rounds_at(recording.elapsed_s()) - phase)
        self._counted = self._held = self._next
        recording.add(self)
        end_s = load.plan.duration_s
        while (due_s := pace.moment_of(self._next + phase)) < end_s:
            wait_s = due_s - recording.elapsed_s() - _ROUNDED_S
            if wait_s > 0:
                gevent.sleep(wait_s)
            if self._pool.full():
                self._hold_back()
            request = _Request(self._carry_out)
            request.due = recording.moment_at(min(due_s, recording.elapsed_s()))
            self._pool.start(request)
            self._next += 1
        gevent.sleep(load.plan.duration_s)  # until Locust ends it

    def _hold_back(self) -> None:
        if self._next >= self._held:
            self._held = self._next + 1
            self._held_now += 1
        self._pool.wait_available()

    def _carry_out(self) -> None:
        # Locust's own: a weight of 3 has the task there three times.
        task = cast("Callable[[PacedUser], object]", random.choice(self.tasks))  # noqa: S311
        task(self)

    def _send(self, method: str, path: str, headers: Mapping[str, str], body: object) -> Answer:
        if body is None:
            return self._connections.ask(method, path, headers)
        headers = {"Content-Type": "application/json", **headers}
        return self._connections.ask(method, path, headers, json.dumps(body).encode())

    def _try_to_sign_in(self) -> float | None:
        try:
            return self.sign_in()
        except LookupError:
            return _RETRY_S

    def _keep_signed_in(self, wait_s: float | None) -> None:
        while wait_s is not None:
            gevent.sleep(wait_s)
            wait_s = self._try_to_sign_in()

    def _tell_locust(
        self, method: str, name: str, took_s: float, answer: Answer | None, reason: str
    ) -> None:
        self.environment.events.request.fire(
            request_type=method,
            name=name,
            response_time=1000 * took_s,
            response_length=len(answer.body) if answer else 0,
            exception=AssertionError(reason) if reason else None,
            context={},
        )


def _fault(answer: Answer, status: int, holds: Callable[[Answer], bool] | str) -> str:
    if answer.status != status:
        return f"status {answer.status}"
    try:
        is_held = holds in answer.text if isinstance(holds, str) else holds(answer)
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError):
        is_held = False
    return "" if is_held else "wrong content"


class _Shape(LoadTestShape):
    """How many users Locust is to have, by the plan."""

    abstract = True  # so that a locustfile that imports this module has no shape of its own

    def __init__(self, plan: LoadPlan, rest_s: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # as Locust has it
        self._plan = plan
        self._end_s = plan.duration_s + rest_s

    def tick(self) -> tuple[int, float] | None:
        """The users that there are to be now, and how many begin each second."""
        now_s = float(self.get_run_time())  # type: ignore[no-untyped-call]
        if now_s >= self._end_s:
            return None
        # Locust looks once a second, and never quite at its beginning.
        return self._plan.level_at(now_s + 0.1).users, self._plan.spawn_rate


def _prepare(environment: Environment, **_: Any) -> None:
    """Make a process that has a plan, or is given one by its master, follow it."""
    runner = environment.runner
    if isinstance(runner, WorkerRunner):
        _listen(environment.events.test_start, _join)
        return
    text = os.environ.get(VARIABLE)
    if not text or runner is None:
        return
    plan = LoadPlan.from_json(text)
    environment.host = plan.host
    rest_s = _REST_OF_WORKERS_S if isinstance(runner, MasterRunner) else _REST_S
    environment.shape_class = _Shape(plan, rest_s)
    environment.shape_class.runner = runner
    output = _opened(os.environ.get(OUTPUT_VARIABLE))

    def deliver(second: LoadSecond) -> None:
        # Beyond, workers leave one after the other.
        if output is not None and second.second + 1 <= plan.duration_s + rest_s:
            try:
                write_line(output, json.dumps(second.to_dict()))
            except BrokenPipeError:  # nobody reads it any more
                gevent.spawn(runner.quit)

    def begin(environment: Environment, **_: Any) -> None:
        # Locust hands its options to each worker, and with them these.
        vars(environment.parsed_options).update(gate_plan=text, gate_began_s=time.time())
        if isinstance(runner, MasterRunner):
            collecting = Collecting(deliver, lambda: _working(runner))
            runner.register_message(_MESSAGE, lambda msg, **_: collecting.take(msg.data))
        else:
            _LOADS[environment] = _Load(plan, Recording(deliver), worker=0)

    _listen(environment.events.test_start, begin)


def _join(environment: Environment, **_: Any) -> None:
    options = vars(environment.parsed_options)
    text, runner = options.get("gate_plan"), environment.runner
    if not text or not isinstance(runner, WorkerRunner):
        return
    plan = LoadPlan.from_json(text)
    environment.host = plan.host
    elapsed_s = time.time() - options["gate_began_s"]
    recording = Recording(
        lambda second: runner.send_message(_MESSAGE, second.to_dict()),
        elapsed_s=elapsed_s if elapsed_s > _LATE_S else 0.0,
    )
    _LOADS[environment] = _Load(plan, recording, worker=max(runner.worker_index, 0))


def _listen(hook: EventHook, listener: Callable[..., None]) -> None:
    hook.add_listener(listener)  # type: ignore[no-untyped-call] # as Locust has it


def _working(runner: MasterRunner) -> int:
    return len(runner.clients.running) + len(runner.clients.spawning)


def _opened(output: str | None) -> int | None:
    if not output:
        return None
    if output.isdecimal():
        return int(output)
    return os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


_listen(events.init, _prepare)
