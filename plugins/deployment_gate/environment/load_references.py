"""What the `load` section says of others, and that no scenario exceeds its own ceilings."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from deployment_gate.environment.durations import format_duration
from deployment_gate.environment.load_sections import Load, Scenario
from deployment_gate.environment.mentions import Complaint, unknown_identity
from deployment_gate.environment.model import Environment
from deployment_gate.environment.yaml_source import Key


def broken_load_references(environment: Environment) -> Iterator[Complaint]:
    """Yield the path of each entry about load that doesn't fit another, and what is wrong."""
    load = environment.load
    if load is None:
        return
    yield from _address(environment, load)
    yield from _identity(environment, load)
    if load.expect_workers and load.master_bind is None:
        yield (
            ("load", "expect_workers"),
            "can't be waited for: nothing says where they report to. Write "
            + "`master_bind: 0.0.0.0:5557` beside it",
        )
    for name, scenario in load.scenarios.items():
        yield from _scenario(("load", "scenarios", name), scenario, load)


def _address(environment: Environment, load: Load) -> Iterator[Complaint]:
    if load.base_url is None:
        if environment.api is None:
            yield ("load",), "nothing says what is asked. Write `base_url:` in it, or `api:`"
        return
    known = environment.own_hosts()
    host = urlsplit(load.base_url).hostname or ""
    if host not in known:
        yield (
            ("load", "base_url"),
            f'"{host}" is no host of this environment, and load is put on no other. '
            + f"There are: {', '.join(sorted(known))}",
        )


def _identity(environment: Environment, load: Load) -> Iterator[Complaint]:
    identities = environment.api.identities if environment.api else {}
    yield from unknown_identity(("load", "identity"), load.identity, identities)
    named = identities.get(load.identity or "")
    if named and named.password is None:
        yield (
            ("load", "identity"),
            f'"{load.identity}" has no password to sign in with. Name another identity',
        )


def _scenario(path: Key, scenario: Scenario, load: Load) -> Iterator[Complaint]:
    for where, rate in _rates(scenario):
        if rate > load.most_rate:
            yield (
                (*path, *where),
                f"{rate:g} requests/second are more than `most_rate`. Write {load.most_rate:g} at "
                + "most, or a higher `most_rate`",
            )
    course = next(key for key in ("duration", "stages", "rising") if getattr(scenario, key))
    takes = timedelta(seconds=scenario.duration_s)
    if takes > load.most_duration:
        yield (
            (*path, course),
            f"{format_duration(takes)} in all is longer than `most_duration`. Write "
            + f"{format_duration(load.most_duration)} at most, or a longer `most_duration`",
        )
    if scenario.warm_up_s >= scenario.duration_s:
        warm_up = timedelta(seconds=round(scenario.warm_up_s, 3))
        yield (
            (*path, "warm_up"),
            f"{format_duration(warm_up)} of {format_duration(takes)} leave nothing that counts. "
            + "Write a shorter `warm_up`, or a higher `spawn_rate` where it isn't written",
        )


def _rates(scenario: Scenario) -> Iterator[tuple[Key, float]]:
    """Yield the highest rates that are written, each with its place in the scenario."""
    if scenario.arrival_rate:
        yield ("arrival_rate",), scenario.arrival_rate
    for number, stage in enumerate(scenario.stages):
        yield ("stages", str(number), "arrival_rate"), stage.arrival_rate
    if scenario.rising:
        yield ("rising", "up_to"), scenario.rising.up_to
