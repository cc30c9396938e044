"""The `load` section: what may stand in it, its levels, and what of it must fit together."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.environment import (
    Environment,
    HostPort,
    Load,
    LoadLevel,
    Rising,
    environment_schema,
    explain,
    load_environment,
)

ROOT = Path(__file__).parents[2]
API = """
api:
  base_url: http://api:8000
  login: {request: POST /login}
  identities:
    robot: {token: "${PASSWORD}"}
    ana: {username: test, password: "${PASSWORD}"}
"""
CEILINGS = "most_rate: 1000\nmost_duration: 10m\n"
CONSTANT = "scenarios: {steady: {users: 10, arrival_rate: 100, duration: 1m}}\n"
ENOUGH = CEILINGS + CONSTANT


def environment_of(section: str, more: str = API) -> str:
    """The text of an environment with such a `load` section."""
    return f"{more.strip()}\nload:\n{indent(dedent(section).strip(), '  ')}\n"


def scenario_of(text: str) -> str:
    """A section with one scenario."""
    return f"{CEILINGS}scenarios: {{one: {{{text}}}}}\n"


@pytest.fixture
def environment(load: Callable[..., Environment]) -> Callable[..., Environment]:
    """Load an environment with such a `load` section."""
    return lambda section, more=API: load(environment_of(section, more), PASSWORD="a-password")


@pytest.fixture
def section(environment: Callable[..., Environment]) -> Callable[..., Load]:
    """Load a `load` section."""

    def section(text: str) -> Load:
        found = environment(text).load
        assert found
        return found

    return section


@pytest.fixture
def wrong(complaint: Callable[..., str]) -> Callable[..., str]:
    """Answer what is wrong with a `load` section."""
    return lambda section, more=API: complaint(environment_of(section, more), PASSWORD="a-password")


def test_what_is_not_written_is_what_the_documentation_says(section: Callable[..., Load]) -> None:
    load = section(ENOUGH)
    assert load.locustfile == "validation/performance/locustfile.py"
    assert (load.workers, load.expect_workers, load.master_bind) == (1, 0, None)
    assert (load.stop_above, load.sample_rate) == (0.5, 20)
    assert load.request_timeout is None
    assert (load.resources.processes, load.resources.prometheus) == ({}, None)
    assert load.scenarios["steady"].spawn_rate == 10


def test_the_api_is_asked_by_its_first_identity_with_a_password(
    environment: Callable[..., Environment],
) -> None:
    here = environment(ENOUGH)
    assert (here.load_address(), here.load_identity()) == ("http://api:8000", "ana")
    elsewhere = environment(ENOUGH + "base_url: http://api:9000/\nidentity: ana")
    assert (elsewhere.load_address(), elsewhere.load_identity()) == ("http://api:9000", "ana")


def test_without_an_api_nobody_signs_in(environment: Callable[..., Environment]) -> None:
    here = environment(ENOUGH + "base_url: http://shop/", "web: {base_url: http://shop}")
    assert (here.load_address(), here.load_identity()) == ("http://shop", None)


def test_constant_load_is_one_level(section: Callable[..., Load]) -> None:
    scenario = section(ENOUGH).scenarios["steady"]
    assert scenario.levels() == (LoadLevel(duration_s=60, arrival_rate=100, users=10),)
    assert scenario.duration_s == 60


def test_stages_are_levels_with_users_of_their_own_or_the_scenarios(
    section: Callable[..., Load],
) -> None:
    scenario = section(
        scenario_of(
            "users: 10, stages: [{duration: 30s, arrival_rate: 5}, "
            "{duration: 1m30s, arrival_rate: 0.5, users: 3}]"
        )
    ).scenarios["one"]
    assert scenario.levels() == (LoadLevel(30, 5, 10), LoadLevel(90, 0.5, 3))
    assert scenario.duration_s == 120


def test_rising_load_keeps_the_users_pace_and_ends_with_its_last_level(
    section: Callable[..., Load],
) -> None:
    scenario = section(
        scenario_of("users: 10, rising: {start: 100, step: 200, every: 5s, up_to: 400}")
    ).scenarios["one"]
    assert scenario.levels() == (
        LoadLevel(5, 100, 10),
        LoadLevel(5, 300, 30),
        LoadLevel(5, 400, 40),
    )


@given(
    start=st.floats(0.1, 1000),
    step=st.floats(0.1, 1000),
    rise=st.floats(0.1, 1000),
)
def test_each_level_is_higher_than_the_last_by_one_step_at_most(
    start: float, step: float, rise: float
) -> None:
    step = max(step, rise / 100)
    rising = Rising.model_validate(
        {"start": start, "step": step, "every": "5s", "up_to": start + rise}
    )
    rates = rising.rates()
    assert (rates[0], rates[-1]) == (start, start + rise)
    steps = [after - before for before, after in pairwise(rates)]
    assert all(0 < one <= step * (1 + 1e-6) for one in steps)


@pytest.mark.parametrize(("warm_up", "seconds"), [("", 2.5), (", warm_up: 7s", 7)])
def test_the_warm_up_lasts_until_all_users_are_there_unless_it_says_so(
    section: Callable[..., Load], warm_up: str, seconds: float
) -> None:
    text = f"users: 10, spawn_rate: 4, arrival_rate: 5, duration: 1m{warm_up}"
    assert section(scenario_of(text)).scenarios["one"].warm_up_s == seconds


@pytest.mark.parametrize(
    ("written", "bind", "told"),
    [
        ("0.0.0.0:5557", HostPort("0.0.0.0", 5557), "0.0.0.0:5557"),  # noqa: S104
        ("'[::1]:5557'", HostPort("::1", 5557), "[::1]:5557"),
        ("gate.internal:1", HostPort("gate.internal", 1), "gate.internal:1"),
    ],
)
def test_remote_workers_report_to_a_host_and_port(
    section: Callable[..., Load], written: str, bind: HostPort, told: str
) -> None:
    load = section(ENOUGH + f"expect_workers: 2\nmaster_bind: {written}")
    assert load.master_bind == bind
    assert str(bind) == told


def test_numbers_may_be_variables(load: Callable[..., Environment]) -> None:
    text = CEILINGS + "workers: ${W}\nscenarios: {a: {users: '${U}', RATE, duration: 1m}}"
    text = text.replace("RATE", "arrival_rate: '${R}'")
    found = load(environment_of(text), PASSWORD="a-password", W="3", U="7", R="12.5").load
    assert found
    assert found.workers == 3
    assert found.scenarios["a"].levels() == (LoadLevel(60, 12.5, 7),)


ONE_COURSE = "Write `duration` and `arrival_rate`, or `stages`, or `rising`: one of the three"
RISING = "rising: {start: 1, step: 1, every: 5s, up_to: 5}"
STAGES = "stages: [{duration: 5s, arrival_rate: 1}]"


@pytest.mark.parametrize(
    ("course", "says"),
    [
        ("", "nothing"),
        ("duration: 1m", "`duration`"),
        ("arrival_rate: 5", "`arrival_rate`"),
        ("stages: []", "nothing"),
        (f"duration: 1m, arrival_rate: 5, {STAGES}", "`duration` and `arrival_rate` beside `stag"),
        (f"duration: 1m, {STAGES}", "`duration` beside `stages`"),
        (f"arrival_rate: 5, {RISING}", "`arrival_rate` beside `rising`"),
        (f"{STAGES}, {RISING}", "`stages` beside `rising`"),
    ],
)
def test_a_scenario_goes_in_one_way(wrong: Callable[..., str], course: str, says: str) -> None:
    told = wrong(scenario_of(f"users: 1, {course}"))
    assert told.splitlines()[0].startswith("here.yaml:")
    assert f"load.scenarios.one: says by {says}" in told
    assert ONE_COURSE in told
    assert told.count("here.yaml:") == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (CONSTANT, "load.most_rate: isn't there. Write `most_rate: ...`"),
        (CONSTANT, "load.most_duration: isn't there"),
        (CEILINGS, "load.scenarios: isn't there"),
        (CEILINGS + "scenarios: {}", "load.scenarios: must not be empty"),
        (ENOUGH + "lokustfile: a.py", "Did you mean locustfile?"),
        (ENOUGH + "workers: 0", 'load.workers: "0" must be at least 1'),
        (ENOUGH + "expect_workers: -1", 'load.expect_workers: "-1" must be at least 0'),
        (ENOUGH + "expect_workers: 2", "load.expect_workers: can't be waited for: nothing says"),
        (ENOUGH + "master_bind: 5557", '"5557" is no host with a port. Write 0.0.0.0:5557'),
        (ENOUGH + "master_bind: a:99999", '"a:99999" is no host with a port'),
        (ENOUGH + "stop_above: 50", '"50" is no share from 0% to below 100%'),
        (ENOUGH + "sample_rate: 0", 'load.sample_rate: "0" must be at least 0.1'),
        (ENOUGH + "sample_rate: 101", 'load.sample_rate: "101" must be at most 100'),
        (ENOUGH + "locustfile: /tmp/a.py", '"/tmp/a.py" is no Python file of this project'),
        (ENOUGH + "locustfile: ../a.py", 'load.locustfile: "../a.py" is no Python file'),
        (ENOUGH + "locustfile: a.yaml", "as in validation/performance/locustfile.py"),
        (ENOUGH + "base_url: http://other", 'load.base_url: "other" is no host of this environ'),
        (ENOUGH + "base_url: http://other", "There are: api"),
        (ENOUGH + "identity: anna", 'load.identity: "anna" is no identity. Did you mean ana?'),
        (ENOUGH + "identity: robot", 'load.identity: "robot" has no password to sign in with'),
        (scenario_of("users: 0, " + STAGES), 'load.scenarios.one.users: "0" must be at least 1'),
        (scenario_of(STAGES), "load.scenarios.one.users: isn't there"),
        (
            scenario_of("users: 1, arrival_rate: 1001, duration: 1m"),
            (
                "load.scenarios.one.arrival_rate: 1001 requests/second are more than `most_rate`. "
                "Write 1000 at most"
            ),
        ),
        (
            scenario_of("users: 1, stages: [{duration: 5s, arrival_rate: 2000}]"),
            "load.scenarios.one.stages.0.arrival_rate: 2000 requests/second",
        ),
        (
            scenario_of("users: 1, rising: {start: 500, step: 500, every: 5s, up_to: 1500}"),
            "load.scenarios.one.rising.up_to: 1500 requests/second",
        ),
        (
            scenario_of("users: 1, arrival_rate: 1, duration: 11m"),
            (
                "load.scenarios.one.duration: 11 minutes in all is longer than `most_duration`. "
                "Write 10 minutes at most"
            ),
        ),
        (
            scenario_of(
                "users: 1, stages: [{duration: 6m, arrival_rate: 1}, "
                "{duration: 6m, arrival_rate: 1}]"
            ),
            "load.scenarios.one.stages: 12 minutes in all",
        ),
        (
            scenario_of("users: 1, rising: {start: 1, step: 1, every: 2m, up_to: 9}"),
            "load.scenarios.one.rising: 18 minutes in all",
        ),
        (
            scenario_of("users: 1, rising: {start: 9, step: 1, every: 5s, up_to: 9}"),
            "load.scenarios.one.rising: rises from 9 up to 9 requests/second, which is no rise",
        ),
        (
            scenario_of("users: 1, rising: {start: 1, step: 0.1, every: 1s, up_to: 90}"),
            "load.scenarios.one.rising: has 891 levels, and 200 are the most",
        ),
        (
            scenario_of("users: 1, warm_up: 1m, arrival_rate: 1, duration: 30s"),
            "load.scenarios.one.warm_up: 1 minute of 30 seconds leave nothing that counts",
        ),
        (
            scenario_of("users: 100, arrival_rate: 1, duration: 5s"),
            "load.scenarios.one.warm_up: 10 seconds of 5 seconds leave nothing that counts",
        ),
        (
            ENOUGH + "resources: {processes: {api: {}}}",
            "load.resources.processes.api: is found in one way. Write `port` or `pid_file`",
        ),
        (
            ENOUGH + "resources: {processes: {api: {port: 1, pid_file: a}}}",
            "load.resources.processes.api: is found in one way",
        ),
        (
            ENOUGH + "resources: {processes: {api: {port: 65536}}}",
            'processes.api.port: "65536" must be at most 65535',
        ),
        (
            ENOUGH + "resources: {prometheus: {url: http://p}}",
            "load.resources.prometheus: asks nothing. Write a query for `cpu`, `memory` or `disk`",
        ),
        (
            ENOUGH + "resources: {prometheus: {url: http://p, cpu_usage: a}}",
            "load.resources.prometheus.cpu_usage: isn't a key that is known here",
        ),
    ],
)
def test_what_does_not_fit_is_refused_at_its_place(
    wrong: Callable[..., str], text: str, told: str
) -> None:
    complaints = wrong(text)
    assert complaints.startswith("here.yaml:")
    assert told in complaints


def test_load_needs_an_address(wrong: Callable[..., str], minimal: str) -> None:
    told = wrong(ENOUGH, minimal)
    assert "load: nothing says what is asked. Write `base_url:` in it, or `api:`" in told


def test_no_load_is_put_on_third_parties(wrong: Callable[..., str]) -> None:
    web = "web: {base_url: http://shop, third_parties: [cdn.example]}"
    told = wrong(ENOUGH + "base_url: http://cdn.example", web)
    assert 'load.base_url: "cdn.example" is no host of this environment' in told


def test_performance_is_covered_where_there_is_load_and_required_nowhere(
    environment: Callable[..., Environment], load: Callable[..., Environment], minimal: str
) -> None:
    assert "performance: no `load` section" in load(minimal).not_covered()
    here = environment(ENOUGH)
    assert here.covers("performance")
    assert not any(gap.startswith("performance:") for gap in here.not_covered())
    assert here.required_categories("smoke") == here.required_categories("full") == ("api",)


def test_load_is_explained(environment: Callable[..., Environment]) -> None:
    told = explain(
        environment(
            CEILINGS
            + dedent(
                """
                expect_workers: 3
                master_bind: 0.0.0.0:5557
                resources:
                  processes: {api: {port: 8000}, web: {pid_file: run/web.pid}}
                  prometheus: {url: http://prometheus:9090, cpu: a, disk: b}
                scenarios:
                  steady: {users: 10, arrival_rate: 100, duration: 1m, description: A day}
                  tides: {users: 1, stages: [{duration: 5s, arrival_rate: 1.5}]}
                  stress: {users: 5, rising: {start: 100, step: 50, every: 5s, up_to: 200}}
                """
            ),
            API + "allow: {load: true}",
        )
    )
    lines = told.partition("\nLoad\n")[2].partition("\n\n")[0].splitlines()
    assert [line.strip() for line in lines] == [
        (
            "asks http://api:8000 as validation/performance/locustfile.py says, only by GET, "
            "beside signing in as ana"
        ),
        "1 process of this machine and 3 of others, which report to 0.0.0.0:5557, make it",
        "an answer may take 10 seconds; above 50 % of errors it stops",
        "no scenario may ask more than 1000 requests/second, or take longer than 10 minutes",
        "beside it 20 requests/second measure how fast answers really are",
        "watches api meanwhile, the process that listens on port 8000",
        "watches web meanwhile, the process of run/web.pid",
        "asks http://prometheus:9090 meanwhile for cpu, disk",
        (
            "steady, 100 requests/second by 10 users, 1 minute; 10 users begin each second, "
            "the first 1 second don't count: A day"
        ),
        "tides, 1 stage, 5 seconds; 10 users begin each second, the first 100 ms don't count",
        "1. 1.5 requests/second by 1 user, 5 seconds",
        (
            "stress, from 100 requests/second and 5 users on 50 more every 5 seconds, until a "
            "target breaks or up to 200 and 10 users; 10 users begin each second, the first 500 "
            "ms don't count"
        ),
    ]


def test_prometheus_is_asked_with_a_secret(environment: Callable[..., Environment]) -> None:
    here = environment(
        ENOUGH + 'resources: {prometheus: {url: http://p, token: "${PASSWORD}", memory: m}}'
    )
    assert here.load
    server = here.load.resources.prometheus
    assert server
    assert (server.queries(), server.label) == ({"memory": "m"}, "instance")
    assert "a-password" in here.secrets
    assert "a-password" not in explain(here) + repr(here)


def test_without_leave_explaining_says_that_no_load_is_made(
    environment: Callable[..., Environment],
) -> None:
    told = explain(environment(ENOUGH))
    assert "Load\n  not made: this environment gives no leave for it" in told


@pytest.mark.parametrize(
    ("entry", "is_valid"),
    [
        ({"workers": "${N}", "most_rate": "${R}", "master_bind": "0.0.0.0:5557"}, True),
        ({"scenarios": {"soak": None, "a": {"stages": [{"arrival_rate": 0.5}]}}}, True),
        ({"scenarios": {"a": {"rising": {"start": 1, "every": "5s"}}}}, True),
        ({"resources": {"processes": {"api": {"port": "${P:-80}"}}}}, True),
        ({"scenarios": {"a": {"rising": {"from": 1}}}}, False),
        ({"scenarios": {"a": {"stages": [{"rate": 1}]}}}, False),
        ({"scenarios": {}}, False),
        ({"expect_workers": -1}, False),
        ({"most_rate": 0}, False),
        ({"most_duration": 5}, False),
        ({"resources": {"processes": {"api": {"port": 65_536}}}}, False),
    ],
)
def test_the_schema_is_of_one_mind_with_the_loader(
    entry: dict[str, Any], *, is_valid: bool
) -> None:
    validator = jsonschema.Draft202012Validator(environment_schema())
    assert validator.is_valid({"load": entry}) is is_valid


def test_production_and_its_spare_have_no_load() -> None:
    variables = {"PRODUCTION_TEST_PASSWORD": "a-password"}
    variables["DISASTER_RECOVERY_TEST_PASSWORD"] = "a-password"
    for name in ("production", "disaster-recovery"):
        assert load_environment(name, ROOT / "environments", variables=variables).load is None


def test_the_sandboxes_everyday_load_is_above_the_runbooks_targets_and_soon_over() -> None:
    sandbox = load_environment("sandbox", ROOT / "environments", variables={})
    assert sandbox.load
    assert sandbox.performance_targets
    everyday = sandbox.load.scenarios["everyday"]
    (level,) = everyday.levels()
    assert level.arrival_rate > sandbox.performance_targets.throughput["api_requests"].limit
    assert level.users > sandbox.performance_targets.throughput["concurrent_users"].limit
    assert level.users / everyday.spawn_rate <= everyday.warm_up_s
    assert list(sandbox.load.scenarios) == ["everyday", "stress"]
    assert sum(one.duration_s for one in sandbox.load.scenarios.values()) < 60


def test_the_example_of_the_documentation_is_understood(
    environment: Callable[..., Environment],
) -> None:
    text = (ROOT / "docs" / "environments.md").read_text(encoding="utf-8")
    example = text.partition("## Load\n\n```yaml\n")[2].partition("```")[0]
    load = environment(dedent(example.removeprefix("load:\n"))).load
    assert load
    assert [len(scenario.levels()) for scenario in load.scenarios.values()] == [1, 2, 6]
