"""The fixtures that checks of load are written with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, NoReturn

import pytest

from deployment_gate.environment import Environment
from deployment_gate.errors import GateError
from deployment_gate.fixtures import process_key
from deployment_gate.run import USER_AGENT

if TYPE_CHECKING:
    from deployment_gate.api.collections import Listing
    from deployment_gate.api.pages import Page
    from deployment_gate.api.sessions import Sessions
    from deployment_gate.checks import CheckProcess
    from deployment_gate.load.latency import Ask, Sample
    from deployment_gate.load.seconds import LoadSecond
    from deployment_gate.load.seen import SeenLoad
    from deployment_gate.load.targets import TargetResult
    from deployment_gate.probes.sampler import Answer

_TOLD_EACH_S = 5
"""Seconds of a load from one line on the terminal to the next."""

_LIBRARIES = ("hdrh", "locust", "psutil", "scipy")
_EXTRA = (
    "the `load` section needs Locust and the libraries beside it. Install them: "
    'pip install "pytest-deployment-gate[performance]"'
)


@pytest.fixture
def load_seen(request: pytest.FixtureRequest, put_scenario: Callable[[str], SeenLoad]) -> SeenLoad:
    """Each load of the environment that is constant or goes in stages, in turn, as it went."""
    return put_scenario(request.param)


@pytest.fixture
def rising_load_seen(
    request: pytest.FixtureRequest, put_scenario: Callable[[str], SeenLoad]
) -> SeenLoad:
    """Each load of the environment that rises until a target breaks, in turn, as it went."""
    return put_scenario(request.param)


@pytest.fixture
def put_scenario(
    request: pytest.FixtureRequest, make_load: Callable[[str], SeenLoad]
) -> Callable[[str], SeenLoad]:
    """Puts a scenario's load on the platform, once for all checks of this process."""
    process = request.config.stash[process_key]

    def put(name: str) -> SeenLoad:
        def look() -> SeenLoad | str:
            try:
                seen = make_load(name)
            except GateError as error:
                # Kept, so that the other checks of this load don't make it again.
                return str(error)
            for observation in seen.observations(process.conduct.check):
                process.conduct.observe(observation)
            return seen

        seen = process.look_once(("load", name), look)
        if isinstance(seen, str):
            _leave_unobserved(process, seen)
        # For a check that passes, too: its figures are what people look for.
        request.node.add_report_section("setup", f"{name} load", seen.account)
        if seen.bottleneck:
            _leave_unobserved(process, seen.bottleneck)
        return seen

    return put


@pytest.fixture
def make_load(
    pytestconfig: pytest.Config, environment: Environment, load_asks: Callable[[], list[Ask]]
) -> Callable[[str], SeenLoad]:
    """Makes a scenario's load."""
    if any(find_spec(name) is None for name in _LIBRARIES):
        pytest.fail(_EXTRA, pytrace=False)
    from deployment_gate.load import arrangement, course, seen  # noqa: PLC0415
    from deployment_gate.load.calibration import (  # noqa: PLC0415
        CALIBRATION_USERS,
        Calibration,
        calibrate,
    )
    from deployment_gate.load.generator import GeneratorError  # noqa: PLC0415
    from deployment_gate.probes.apart import run_apart  # noqa: PLC0415

    process = pytestconfig.stash[process_key]

    def make(name: str) -> SeenLoad:
        load = arrangement.load_of(environment)
        plan = arrangement.plan_of(environment, name)
        targets = arrangement.targets_of(environment)
        machines = arrangement.Machines(load)
        generate = partial(arrangement.generator_of, environment, project=pytestconfig.rootpath)

        def tell(second: LoadSecond, samples: Sequence[Sample]) -> None:
            if second.second % _TOLD_EACH_S == 0:
                process.tell(f"{name}: {seen.progress(plan, second, samples)}")

        asks = load_asks()
        own = Calibration()
        # Workers of other machines have no way to a server of this one's loopback.
        if not load.expect_workers:
            own = run_apart(calibrate(plan, partial(generate, locustfile=str(CALIBRATION_USERS))))
        if own.shortfall:
            raise GeneratorError(own.shortfall)
        taken = run_apart(
            course.put_load(
                plan,
                generate(plan),
                asks,
                sample_rate=load.sample_rate,
                user_agent=USER_AGENT,
                bounds=course.Bounds(
                    stop_above=load.stop_above,
                    breaks_by=targets.breaking if load.scenarios[name].rising else (),
                ),
                look_at_machines=machines.look,
                tell=tell,
            )
        )
        return seen.SeenLoad(
            taken,
            targets,
            own_delay_s=own.delay_s,
            before=arrangement.latencies_before(process.earlier, name) if process.earlier else None,
            recorded=machines.recorded(taken.began),
        )

    return make


@pytest.fixture
def load_asks(
    environment: Environment,
    request: pytest.FixtureRequest,
) -> Callable[[], list[Ask]]:
    """What is measured beside a load: a page of each list, its first item, and the search."""
    from deployment_gate.load.latency import Ask  # noqa: PLC0415

    timeout_s = environment.request_timeout.total_seconds()

    def asks() -> list[Ask]:
        api = environment.api
        if api is None:
            return [Ask(endpoint="GET /", url=environment.load_address(), timeout_s=timeout_s)]
        listing: Callable[[str], Listing] = request.getfixturevalue("listing")
        sessions: Sessions = request.getfixturevalue("sessions")
        found: list[Ask] = []
        for name, section in api.collections.items():
            items = listing(name)
            headers = partial(_headers, sessions, api.reader_of(section))
            found += _asks_of(items, api.base_url, headers, timeout_s)
        if api.search is not None:
            search: Callable[[str], Page] = request.getfixturevalue("search")
            page = search(api.search.finds[0])
            found.append(
                Ask(
                    endpoint=f"GET {api.search.path}",
                    url=str(page.answer.request.url),
                    timeout_s=timeout_s,
                    headers=partial(_headers, sessions, api.reader_of(api.search)),
                    holds=lambda answer: bool(page.items_at.values(json.loads(answer.body))),
                )
            )
        return found

    return asks


def _headers(sessions: Sessions, reader: str | None) -> Mapping[str, str]:
    """What shows who asks; nothing where they can't sign in any more, which the answer tells."""
    try:
        return sessions.headers(reader) if reader else {}
    except GateError:
        return {}


def _asks_of(
    items: Listing, base_url: str, headers: Callable[[], Mapping[str, str]], timeout_s: float
) -> Iterator[Ask]:
    """A list, and its first item where it says where items are."""
    from deployment_gate.load.latency import Ask  # noqa: PLC0415

    page = items.page()
    first = next(iter(page.items), None)

    def has_items(answer: Answer) -> bool:
        found = page.items_at.values(json.loads(answer.body))
        return bool(found and found[0])

    yield Ask(
        endpoint=f"GET {items.path}",
        url=base_url + items.path,
        timeout_s=timeout_s,
        headers=headers,
        holds=has_items,
    )
    if first is None or not items.section.item:
        return
    id_ = items.id_of(first)

    def is_the_item(answer: Answer) -> bool:
        found = items.section.item_at.values(json.loads(answer.body))
        return bool(found) and items.section.id.first(found[0]) == id_

    yield Ask(
        endpoint=f"GET {items.section.item.replace('{{', '{').replace('}}', '}')}",
        url=base_url + items.address_of(id_),
        timeout_s=timeout_s,
        headers=headers,
        holds=is_the_item,
    )


@pytest.fixture
def judge_load(request: pytest.FixtureRequest) -> Callable[[Sequence[TargetResult]], None]:
    """Fails the check where a target was missed; where it can't be told, nothing was observed.

    What isn't covered, since the environment gives no way to see it, is only told.
    """
    from deployment_gate.load.targets import ALL, State  # noqa: PLC0415

    process = request.config.stash[process_key]

    def judge(results: Sequence[TargetResult]) -> None:
        missed = [one.sentence for one in results if one.state is State.MISSED]
        if missed:
            pytest.fail("\n".join(missed), pytrace=False)
        by_target = {one.target for one in results if one.state is State.MET}
        open_ = [
            one.sentence
            for one in results
            # Of single endpoints there may be too few samples where all together have enough.
            if one.state is State.TOO_FEW and (one.subject == ALL or one.target not in by_target)
        ]
        if open_:
            _leave_unobserved(process, "\n".join(open_))
        process.warnings += [one.sentence for one in results if one.state is State.NOT_COVERED]

    return judge


def _leave_unobserved(process: CheckProcess, why: str) -> NoReturn:
    """End a check whose load says nothing of the platform."""
    process.conduct.unobserved = why
    pytest.fail(f"not observed: {why}", pytrace=False)
