"""An environment as it was understood, in sentences for people."""

from collections.abc import Iterator, Mapping

from deployment_gate.environment.durations import format_duration
from deployment_gate.environment.fields import Tier
from deployment_gate.environment.model import Environment
from deployment_gate.environment.policy import policy_of
from deployment_gate.environment.sections import ApiTarget, HealthEndpoint, ReleaseEndpoint
from deployment_gate.environment.terms import TargetPhrase, Watch


def explain(environment: Environment) -> str:
    """Say all that an environment file means, phrase by phrase, and last what it leaves out."""
    title = f"{environment.name}: {environment.description}".removesuffix(": ")
    blocks = [title]
    for heading, lines in _sections(environment):
        if shown := [f"  {line}" for line in lines]:
            blocks.append("\n".join([heading, *shown]))
    return "\n\n".join(blocks) + "\n"


def _sections(environment: Environment) -> Iterator[tuple[str, Iterator[str]]]:
    yield "Health endpoints", _health(environment.health_endpoints)
    yield "Release identity", _releases(environment.release_identity)
    yield "API", _api(environment.api)
    yield "Web interface", _web(environment)
    yield "Performance targets", _targets(environment)
    yield "Rollback triggers", _triggers(environment)
    yield "Monitoring metrics", _grouped(environment.monitoring_metrics)
    yield "Alert response", _alerts(environment)
    yield "The run", _run(environment)
    yield "Not covered", iter(environment.not_covered())


def _health(endpoints: Mapping[str, HealthEndpoint]) -> Iterator[str]:
    for name, endpoint in endpoints.items():
        statuses = " or ".join(str(status) for status in sorted(endpoint.expected_status))
        content = f" with {endpoint.content.value}" if endpoint.content else ""
        page = "" if endpoint.content or endpoint.may_be_page else ", not with a page"
        within = format_duration(endpoint.timeout)
        yield f"{name}: {endpoint.url} answers {statuses}{content} within {within}{page}"


def _releases(endpoints: Mapping[str, ReleaseEndpoint]) -> Iterator[str]:
    for name, endpoint in endpoints.items():
        places = [f"header {endpoint.header}"] if endpoint.header else []
        places += [f"JSON field {endpoint.field}"] if endpoint.field else []
        replicas = f"{endpoint.replicas} replica{'s' if endpoint.replicas > 1 else ''}"
        by = f", told apart by header {endpoint.instance_header}"
        told_apart = by if endpoint.instance_header else ""
        within = format_duration(endpoint.timeout)
        yield (
            f"{name}: {endpoint.url} names its release in {' and '.join(places)} "
            f"within {within}; {replicas}{told_apart}"
        )


def _api(api: ApiTarget | None) -> Iterator[str]:
    if api is None:
        return
    yield f"at {api.base_url}: policies at {api.policies_path}, search at {api.search_path}"
    yield f'searches for "{api.search_term}"'
    if api.login:
        yield (
            f"signs in at {api.login.path} as {api.login.username}, password from the process "
            f"environment, token in {api.login.token_field}"
        )
    else:
        yield "signs in nowhere: what needs it isn't checked"


def _web(environment: Environment) -> Iterator[str]:
    if environment.web:
        yield f"at {environment.web.base_url}"


def _targets(environment: Environment) -> Iterator[str]:
    targets = environment.performance_targets
    if targets:
        yield from _grouped(
            {
                "response_time": targets.response_time,
                "throughput": targets.throughput,
                "resource_usage": targets.resource_usage,
            }
        )


def _grouped(groups: Mapping[str, Mapping[str, TargetPhrase | Watch]]) -> Iterator[str]:
    for group, phrases in groups.items():
        for name, phrase in phrases.items():
            understood = "" if isinstance(phrase, Watch) else f'   from "{phrase.text}"'
            yield f"{group}.{name}: {phrase.sentence()}{understood}"


def _triggers(environment: Environment) -> Iterator[str]:
    for rule in policy_of(environment).triggers:
        trigger = environment.rollback_triggers[rule.name]
        interval = format_duration(trigger.interval or environment.sampler.interval)
        yield f"{rule.name}: {rule.sentence()}"
        yield (
            f"  a suspicion is looked into every {interval} for {format_duration(trigger.timeout)},"
            " then it is a hold"
        )
        yield f'  from "{rule.phrase}" ({rule.source or "no file"})'


def _alerts(environment: Environment) -> Iterator[str]:
    if environment.alert_response is None:
        return
    for name in type(environment.alert_response).model_fields:
        response = getattr(environment.alert_response, name)
        if response is not None:
            within = format_duration(response.response_time)
            asked = " and ".join(response.escalation)
            yield f"{name}: within {within}, {asked}: {response.action}"


def _run(environment: Environment) -> Iterator[str]:
    allow = environment.allow
    leave = [name for name in type(allow).model_fields if getattr(allow, name)]
    yield f"allowed beyond reading: {', '.join(leave) or 'nothing'}"
    for tier in Tier:
        categories = environment.required_categories(tier)
        yield f"{tier.value} must have a pass in: {', '.join(categories) or 'no category'}"
    sampler = environment.sampler
    yield (
        f"asks again every {format_duration(sampler.interval)}, "
        f"at most {sampler.concurrency} requests at once"
    )
    yield (
        f"a request may take {format_duration(environment.request_timeout)}, "
        f"a check {format_duration(environment.check_timeout)}"
    )
    if environment.launch:
        launch = environment.launch
        command = launch.command if isinstance(launch.command, str) else " ".join(launch.command)
        yield (
            f"when nothing runs yet, starts: {command} "
            f"(ready once {launch.ready} answers, within {format_duration(launch.timeout)})"
        )
