"""From files to an environment, or to all that is wrong with them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deployment_gate.environment import (
    Environment,
    EnvironmentFileError,
    environment_names,
    load_environment,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.environment.conftest import Directory

MINIMAL = "health_endpoints:\n  api:\n    url: http://api/health\n"

LOGIN = (
    "api:\n  base_url: http://api\n  login: {{}}\n  identities:\n    test:\n"
    "      username: test\n      password: {password}\n"
)


def test_a_file_with_nothing_but_health_endpoints_is_an_environment(
    load: Callable[..., Environment],
) -> None:
    environment = load(MINIMAL)
    assert environment.name == "here"
    assert environment.health_endpoints["api"].url == "http://api/health"
    assert environment.health_endpoints["api"].expected_status == {200}
    assert environment.health_endpoints["api"].timeout == timedelta(seconds=30)
    assert environment.source_of("health_endpoints", "api", "url").endswith("here.yaml:3")


def test_names_are_those_of_the_files_without_base(directory: Directory) -> None:
    for name in ("staging", "base", "production"):
        directory.write(name, MINIMAL)
    assert environment_names(directory.path) == ["production", "staging"]


def test_a_misspelt_name_is_told_with_the_near_match_and_the_list(directory: Directory) -> None:
    directory.write("staging", MINIMAL)
    directory.write("sandbox", MINIMAL)
    assert directory.complaint("stagin") == (
        '"stagin" is no environment: Did you mean staging? There are: sandbox, staging'
    )


def test_base_is_no_environment(directory: Directory) -> None:
    directory.write("base", MINIMAL)
    assert "base.yaml is only extended by others" in directory.complaint("base")


def test_a_file_of_another_ending_is_pointed_at(directory: Directory) -> None:
    (directory.path / "staging.yml").write_text(MINIMAL, encoding="utf-8")
    assert "rename staging.yml to staging.yaml" in directory.complaint("staging")


def test_a_missing_directory_is_told_with_the_option(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFileError, match="--env-dir"):
        load_environment("staging", tmp_path / "nowhere", variables={})


def test_what_is_extended_is_inherited_and_knows_its_file(directory: Directory) -> None:
    directory.write("base", MINIMAL + "    timeout: 5s\n")
    directory.write("middle", "extends: base\ndescription: middle\n")
    directory.write("tip", "extends: middle\nhealth_endpoints: {api: {expected_status: 204}}\n")
    environment = directory.load("tip")
    endpoint = environment.health_endpoints["api"]
    assert (endpoint.timeout, endpoint.expected_status) == (timedelta(seconds=5), {204})
    assert environment.description == "middle"
    assert environment.source_of("health_endpoints", "api", "timeout").endswith("base.yaml:4")
    assert environment.source_of("health_endpoints", "api", "expected_status").endswith(
        "tip.yaml:2"
    )


def test_a_circle_is_one_error_that_names_the_chain(directory: Directory) -> None:
    directory.write("a", "extends: b\n")
    directory.write("b", "extends: c\n")
    directory.write("c", "\nextends: a\n")
    assert directory.complaint("a") == (
        "c.yaml:2: extends: extends itself in a circle: a -> b -> c -> a. "
        "Remove one `extends` of these"
    )


def test_extending_what_is_not_there_is_told_with_the_near_match(directory: Directory) -> None:
    directory.write("base", MINIMAL)
    directory.write("staging", "extends: bse\n")
    assert directory.complaint("staging").startswith(
        'staging.yaml:1: extends: no file "bse.yaml" in '
    )
    assert "Did you mean base? There are: base" in directory.complaint("staging")


def test_removing_what_nobody_wrote_is_told(directory: Directory) -> None:
    directory.write("base", MINIMAL)
    directory.write("staging", "extends: base\nhealth_endpoints:\n  apy: null\n")
    assert directory.complaint("staging") == (
        "staging.yaml:3: health_endpoints.apy: must be a map of `key: value` lines. "
        "It is null, which removes an inherited entry; none is inherited here"
    )


def test_a_phrase_that_is_not_understood_is_told_with_the_forms_that_are(
    complaint: Callable[..., str],
) -> None:
    told = complaint(
        MINIMAL + "rollback_triggers:\n  error_rate_threshold:\n"
        '    - condition: "Error rate over 5%"\n    - action: hold\n    - timeout: 2m\n'
    )
    assert told == (
        "here.yaml:6: rollback_triggers.error_rate_threshold.condition: "
        '"Error rate over 5%" isn\'t understood. Understood forms: '
        '"Health check fails for 3 consecutive attempts"; '
        '"Security check fails for 2 consecutive attempts"; "Error rate > 5% for 2 minutes"; '
        '"Page error rate > 5% for 2 minutes"; "Response time > 500ms for 3 minutes"; '
        '"p99 response time > 1s for 5 minutes"; "Page load time > 2s for 3 minutes". '
        'Write it as in "Error rate > 5% for 2 minutes"'
    )


RATE = (
    MINIMAL + "rollback_triggers:\n  rate:\n"
    "    condition: Error rate > 5% for 2 minutes\n    action: hold\n    timeout: 2m\n"
)


@pytest.mark.parametrize("written", ["95%", '"95 %"', "95", "95.0", "${SURE}", '"${SURE}%"'])
def test_a_confidence_is_a_percentage(written: str, load: Callable[..., Environment]) -> None:
    environment = load(f"{RATE}    confidence: {written}\n", SURE="95")
    assert environment.rollback_triggers["rate"].confidence == 95


@pytest.mark.parametrize(
    "written", ["0.95", "100", "100%", "49%", "true", "high", "-95", "1e2", "[95]"]
)
def test_what_is_no_confidence_is_told_with_what_is(
    written: str, complaint: Callable[..., str]
) -> None:
    assert complaint(f"{RATE}    confidence: {written}\n").endswith(
        'is no confidence from 50% to below 100%. Write "95%" or "99.9%"'
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("samples: many", '"many" must be a whole number'),
        ("samples: 0", '"0" must be at least 1'),
        ("over: each", '"each" is none of subject, all.'),
    ],
)
def test_what_a_share_cannot_be_judged_by_is_told(
    line: str, told: str, complaint: Callable[..., str]
) -> None:
    assert told in complaint(f"{RATE}    {line}\n")


@pytest.mark.parametrize("line", ["samples: 30", "confidence: 95%", "over: subject"])
def test_what_only_a_share_can_have_is_refused_of_attempts_in_a_row(
    line: str, complaint: Callable[..., str]
) -> None:
    health = RATE.replace(
        "Error rate > 5% for 2 minutes", "Health check fails for 3 consecutive attempts"
    )
    key = line.partition(":")[0]
    assert complaint(f"{health}    {line}\n").endswith(
        f'`{key}` is for a share, as in "Error rate > 5% for 2 minutes"; so many attempts in a row '
        f"are counted of each subject. Remove `{key}`"
    )


def test_all_problems_of_a_file_are_told_at_once_in_the_order_of_its_lines(
    complaint: Callable[..., str],
) -> None:
    told = complaint(
        "health_endpoints:\n"
        "  api:\n"
        "    ulr: http://api/health\n"
        "    timeout: 30\n"
        "    expected_status: ok\n"
        "    expected_status: 200\n"
        "  web:\n"
        "    url: ftp://web\n"
        "  cache:\n"
        "    url: ${CACHE_URL}\n"
        "    content: ${CACHE_CONTENT}\n"
        "check_timout: 5s\n"
        "allow:\n"
        "  writes: yes\n"
    )
    lines = [line.split(": ", 2) for line in told.splitlines()]
    assert [(place, key) for place, key, _ in lines] == [
        ("here.yaml:2", "health_endpoints.api.url"),
        ("here.yaml:3", "health_endpoints.api.ulr"),
        ("here.yaml:4", "health_endpoints.api.timeout"),
        ("here.yaml:5", "health_endpoints.api.expected_status"),
        ("here.yaml:6", "health_endpoints.api.expected_status"),
        ("here.yaml:8", "health_endpoints.web.url"),
        ("here.yaml:10", "health_endpoints.cache.url"),
        ("here.yaml:11", "health_endpoints.cache.content"),
        ("here.yaml:12", "check_timout"),
        ("here.yaml:14", "allow.writes"),
    ]
    assert "Did you mean url? Known: content, expected_status, timeout, url" in told
    assert "30 has no unit. Write 30s" in told
    assert "the variable CACHE_URL isn't set" in told
    assert "Did you mean check_timeout" in told
    assert '"yes" must be true or false' in told


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.text("abcdefgh_", min_size=1, max_size=12))
@pytest.mark.parametrize(
    ("before", "indent", "line"),
    [(MINIMAL, "", 4), (MINIMAL, "    ", 4), (MINIMAL + "allow:\n  load: true\n", "  ", 6)],
)
def test_any_unknown_key_is_told_with_its_line(
    complaint: Callable[..., str], before: str, indent: str, line: int, key: str
) -> None:
    told = complaint(f"{before}{indent}x{key}: 1\n")
    assert told.startswith(f"here.yaml:{line}: ")
    assert f"x{key}: isn't a key that is known here." in told


def test_a_variable_is_typed_as_its_field_is(load: Callable[..., Environment]) -> None:
    environment = load(
        "description: ${NUMBER}\n"
        "health_endpoints: {api: {url: http://api, expected_status: '${NUMBER}'}}\n"
        "allow: {writes: '${YES}'}\nsampler: {concurrency: '${NUMBER}', interval: '${TIME}'}\n",
        NUMBER="204",
        YES="true",
        TIME="300ms",
    )
    assert environment.description == "204"
    assert environment.health_endpoints["api"].expected_status == {204}
    assert environment.allow.writes is True
    assert environment.sampler.concurrency == 204
    assert environment.sampler.interval == timedelta(milliseconds=300)


def test_a_quoted_number_is_no_number(complaint: Callable[..., str]) -> None:
    assert '"64" must be a whole number' in complaint(MINIMAL + "sampler: {concurrency: '64'}\n")


def test_a_secret_comes_from_the_process_environment(load: Callable[..., Environment]) -> None:
    environment = load(LOGIN.format(password="${PW}"), PW="hunter22")
    assert environment.secrets == {"hunter22"}
    assert environment.api is not None
    password = environment.api.identities["test"].password
    assert password is not None
    assert password.get_secret_value() == "hunter22"
    assert "hunter22" not in repr(environment)
    assert "hunter22" not in str(environment.model_dump())
    assert "hunter22" not in environment.model_dump_json()


def test_a_secret_may_have_a_default(load: Callable[..., Environment]) -> None:
    assert load(LOGIN.format(password="${PW:-of-the-sandbox}")).secrets == {"of-the-sandbox"}


@pytest.mark.parametrize("password", ["hunter22", "'12345678'", "x${PW}", "$${PW}"])
def test_a_secret_in_the_file_is_refused_and_not_repeated(
    complaint: Callable[..., str], password: str
) -> None:
    assert complaint(LOGIN.format(password=password), PW="hunter22") == (
        "here.yaml:7: api.identities.test.password: passwords come from the process environment. "
        "Write ${NAME}"
    )


@pytest.mark.parametrize("secret", ["", "abc"])
def test_a_short_secret_is_refused(complaint: Callable[..., str], secret: str) -> None:
    told = complaint(LOGIN.format(password="${PW}"), PW=secret)
    assert "fewer than 4 characters" in told
    assert "abc" not in told


def test_what_a_variable_holds_is_never_told(complaint: Callable[..., str]) -> None:
    told = complaint(
        "description: [1]\nhealth_endpoints: {api: {url: '${S}', timeout: '${S}', content: '${S}',"
        " expected_status: '${S}'}}\nallow: {load: '${S}'}\nweb: '${S}'\n"
        "launch: {command: '${S}'}\n"
        "sampler: {concurrency: '${S}'}\n"
        "rollback_triggers: {x: {condition: '${S}', action: '${S}', timeout: '${S}'}}\n",
        S="hunter22",
    )
    assert len(told.splitlines()) >= 10
    assert "hunter22" not in told


def test_missing_variables_of_all_files_are_told_at_once(directory: Directory) -> None:
    directory.write("base", MINIMAL.replace("http://api", "${A}") + "description: ${B}\n")
    directory.write("staging", "extends: base\nweb: {base_url: '${C}'}\n")
    assert [line.split(" ")[0] for line in directory.complaint("staging").splitlines()] == [
        "base.yaml:3:",
        "base.yaml:4:",
        "staging.yaml:2:",
    ]


def test_an_overridden_variable_is_not_needed(directory: Directory) -> None:
    directory.write("base", MINIMAL + "web:\n  base_url: ${WEB_URL}\n")
    directory.write("staging", "extends: base\nweb: {base_url: http://web}\n")
    directory.write("other", "extends: base\nweb: null\n")
    assert directory.load("staging").web is not None
    assert directory.load("other").web is None


@pytest.mark.parametrize("text", ["", "# only a comment\n", "description: nothing\n", "{}", "~"])
def test_a_file_without_anything_to_validate_is_refused(
    complaint: Callable[..., str], text: str
) -> None:
    assert complaint(text).startswith("here.yaml:1: ")


def test_the_name_is_the_files(complaint: Callable[..., str]) -> None:
    told = complaint(MINIMAL + "name: other\n")
    assert told == (
        "here.yaml:4: name: the name of an environment is its file's: here. Remove this key"
    )


@pytest.mark.parametrize(
    "url",
    ["api/health", "ftp://api", "http://", "http://a b/", "http://a:99999/", "http://[::1/", "''"],
)
def test_what_is_no_web_address_is_refused(complaint: Callable[..., str], url: str) -> None:
    assert "is no http or https address. Write http://host:port/path" in complaint(
        f"health_endpoints: {{api: {{url: {url!r}}}}}\n"
    )


def test_a_password_in_an_address_is_refused_and_not_repeated(
    complaint: Callable[..., str],
) -> None:
    told = complaint("health_endpoints: {api: {url: 'http://me:hunter22@api'}}\n")
    assert "has a name or password in its address" in told
    assert "hunter22" not in told


SHAPES = st.recursive(
    st.sampled_from(["1", "x", "null", "true", "30s", "'5'", "${A}", "http://a/", "rollback"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(
            st.sampled_from(["a", "url", "condition", "login", "field", "smoke", "command"]),
            inner,
            max_size=3,
        ).map(lambda map_: "{" + ", ".join(f"{key}: {item}" for key, item in map_.items()) + "}")
    ),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    sections=st.dictionaries(
        st.sampled_from([*Environment.model_fields, "extends"]), SHAPES, max_size=4
    )
)
def test_no_file_raises_anything_but_an_environment_file_error(
    directory: Directory, sections: dict[str, str]
) -> None:
    directory.write("any", "".join(f"{key}: {text}\n" for key, text in sections.items()))
    told = ["nothing:"]
    try:
        directory.load("any")
    except EnvironmentFileError as error:
        told = str(error).splitlines()
    assert all(":" in line for line in told)
