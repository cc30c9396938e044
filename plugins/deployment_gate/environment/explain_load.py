"""Load as it was understood, in sentences for people."""

from collections.abc import Iterator
from datetime import timedelta

from deployment_gate.environment.durations import format_duration
from deployment_gate.environment.load_sections import Load, Resources, Scenario
from deployment_gate.environment.model import Environment
from deployment_gate.environment.terms import percent


def explain_load(environment: Environment) -> Iterator[str]:
    """Yield what the `load` section means, line by line."""
    load = environment.load
    if load is None:
        return
    if not environment.allow.load:
        yield "not made: this environment gives no leave for it (`allow: {load: true}`)"
    who = environment.load_identity()
    signing = f", beside signing in as {who}" if who else ""
    yield f"asks {environment.load_address()} as {load.locustfile} says, only by GET{signing}"
    yield _makers(load)
    within = format_duration(load.request_timeout or environment.request_timeout)
    yield f"an answer may take {within}; above {percent(load.stop_above)} of errors it stops"
    yield (
        f"no scenario may ask more than {load.most_rate:g} requests/second, or take longer than "
        f"{format_duration(load.most_duration)}"
    )
    yield f"beside it {load.sample_rate:g} requests/second measure how fast answers really are"
    yield from _resources(load.resources)
    for name, scenario in load.scenarios.items():
        yield _scenario(name, scenario)
        yield from _stages(scenario)


def _makers(load: Load) -> str:
    here = f"{load.workers} {_plural('process', load.workers, 'es')} of this machine"
    if not load.expect_workers:
        return f"{here} {'make' if load.workers > 1 else 'makes'} it"
    elsewhere = f"{load.expect_workers} of others"
    return f"{here} and {elsewhere}, which report to {load.master_bind}, make it"


def _resources(resources: Resources) -> Iterator[str]:
    for name, process in resources.processes.items():
        found = f"that listens on port {process.port}" if process.port else f"of {process.pid_file}"
        yield f"watches {name} meanwhile, the process {found}"
    if resources.prometheus:
        told = ", ".join(resources.prometheus.queries())
        yield f"asks {resources.prometheus.url} meanwhile for {told}"


def _scenario(name: str, scenario: Scenario) -> str:
    levels = scenario.levels()
    if scenario.rising:
        rising = scenario.rising
        course = (
            f"from {rising.start:g} requests/second and {_users(scenario.users)} on "
            f"{rising.step:g} more every {format_duration(rising.every)}, until a target breaks "
            f"or up to {rising.up_to:g} and {_users(levels[-1].users)}"
        )
    elif scenario.stages:
        course = f"{len(levels)} {_plural('stage', len(levels))}, {_lasting(scenario.duration_s)}"
    else:
        (level,) = levels
        course = (
            f"{level.arrival_rate:g} requests/second by {_users(level.users)}, "
            f"{_lasting(level.duration_s)}"
        )
    told = f": {scenario.description}" if scenario.description else ""
    warm_up = format_duration(timedelta(seconds=round(scenario.warm_up_s, 3)))
    return (
        f"{name}, {course}; {scenario.spawn_rate:g} users begin each second, the first {warm_up} "
        f"don't count{told}"
    )


def _stages(scenario: Scenario) -> Iterator[str]:
    for number, level in enumerate(scenario.levels() if scenario.stages else (), start=1):
        yield (
            f"  {number}. {level.arrival_rate:g} requests/second by {_users(level.users)}, "
            f"{_lasting(level.duration_s)}"
        )


def _users(count: int) -> str:
    return f"{count} {_plural('user', count)}"


def _lasting(seconds: float) -> str:
    return format_duration(timedelta(seconds=seconds))


def _plural(noun: str, count: int, ending: str = "s") -> str:
    return noun if count == 1 else f"{noun}{ending}"
