"""An environment as it was understood, in sentences for people."""

from collections.abc import Iterator, Mapping

from deployment_gate.environment.api_sections import ApiTarget, Login
from deployment_gate.environment.data_sections import CacheTarget, DatabaseTarget
from deployment_gate.environment.durations import format_duration
from deployment_gate.environment.explain_load import explain_load
from deployment_gate.environment.explain_security import explain_security
from deployment_gate.environment.explain_web import explain_web, explain_web_journeys
from deployment_gate.environment.fields import Tier
from deployment_gate.environment.journey_sections import Step
from deployment_gate.environment.model import Environment
from deployment_gate.environment.policy import policy_of
from deployment_gate.environment.sections import HealthEndpoint, ReleaseEndpoint
from deployment_gate.environment.sizes import format_size
from deployment_gate.environment.terms import Decide, Over, Sustained, TargetPhrase, Watch, percent


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
    yield "Journeys", _journeys(environment.api)
    yield "Web interface", explain_web(environment)
    yield "Journeys through pages", explain_web_journeys(environment.web)
    yield "Databases", _databases(environment.databases)
    yield "Caches", _caches(environment.caches)
    yield "Performance targets", _targets(environment)
    yield "Load", explain_load(environment)
    yield "Security", explain_security(environment)
    yield "Rollback triggers", _triggers(environment)
    yield "Waivers", _waivers(environment)
    yield "Monitoring metrics", _grouped(environment.monitoring_metrics)
    yield "Alert response", _alerts(environment)
    yield "Notifications", _notifications(environment)
    yield "The run", _run(environment)
    yield "Not covered", iter(environment.not_covered())


def _notifications(environment: Environment) -> Iterator[str]:
    section = environment.notifications
    if section is None:
        return
    told = {"a rollback": section.critical, "a hold": section.warning, "a promote": section.info}
    for what, addresses in told.items():
        if addresses:
            count = f"{len(addresses)} address{'es' if len(addresses) > 1 else ''}"
            yield f"{what} is told to {count} that the process environment holds"
    yield f"all of them within {format_duration(section.timeout)}"


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
    yield f"at {api.base_url}"
    if api.login:
        yield from _login(api, api.login)
    else:
        yield "signs in nowhere: what needs it isn't checked"
    for name, collection in api.collections.items():
        where = f", one at {collection.item}" if collection.item else ""
        who = api.reader_of(collection) or "anybody"
        yield f"lists {name} at {collection.path}{where}, read by {who}"
        if collection.draft is not None:
            yield f"  {collection.writer or 'anybody'} makes, changes and removes one"
    if api.search:
        terms = ", ".join(f'"{term}"' for term in api.search.finds)
        yield f'at {api.search.path} finds {terms}, and nothing for "{api.search.finds_not}"'
    if api.openapi:
        yield f"describes itself at {api.openapi.path}"
    for name, fact in api.facts.items():
        tellers = ", ".join(str(told) for told in fact.told_by)
        is_what = "" if fact.equals is None else f' and is "{fact.equals}"'
        yield f"{name} is the same in {tellers}{is_what}"


def _login(api: ApiTarget, login: Login) -> Iterator[str]:
    if login.request:
        yield f"signs in by {login.request}, token in {login.token}"
    else:
        yield "signs in nowhere: the credentials go with each request"
    yield f"sends {', '.join(f'{name}: {value}' for name, value in login.send.items())}"
    for name, identity in api.identities.items():
        who = f" as {identity.username}" if identity.username else ""
        role = f", {identity.role}" if identity.role else ""
        yield f"{name}{who}{role}, with what the process environment holds"


def _journeys(api: ApiTarget | None) -> Iterator[str]:
    for name, journey in (api.journeys if api else {}).items():
        tier = "after each deploy" if journey.smoke else "in the full run"
        leave = ", where writing is allowed" if journey.writes else ""
        told = f": {journey.description}" if journey.description else ""
        yield f"{name}, {tier}{leave}{told}"
        for number, step in enumerate(journey.steps, start=1):
            yield f"  {number}. {_step(step)}"
        for step in journey.cleanup or ():
            yield f"  at the end: {_step(step)}"


def _step(step: Step) -> str:
    who = f" as {step.identity}" if step.identity else ""
    statuses = sorted(step.expect.status or ())
    answer = " or ".join(map(str, statuses)) if statuses else "a success"
    within = f" within {format_duration(step.expect.within)}" if step.expect.within else ""
    retry = f", tried for {format_duration(step.retry.timeout)}" if step.retry else ""
    called = f"{step.name}: " if step.name else ""
    return f"{called}{step.request}{who} is answered {answer}{within}{retry}"


def _databases(databases: Mapping[str, DatabaseTarget]) -> Iterator[str]:
    for name, database in databases.items():
        within = format_duration(database.timeout)
        yield (
            f"{name}: {database.url.scheme} at the address in the process environment answers "
            f"within {within}; it is only read"
        )
        if database.migrations:
            revisions = " and ".join(database.migrations)
            yield f"  {database.migrations_table} is at {revisions}"
        if database.statistics:
            transaction = format_duration(database.longest_transaction)
            yield (
                f"  no transaction is open for more than {transaction}, nobody waits for a lock "
                f"for more than {format_duration(database.longest_lock_wait)}"
            )
            yield (
                f"  replicas are at most {format_duration(database.replication_delay)} behind, "
                f"at most {database.connections_at_most} % of the connections are in use"
            )
        if database.replicas:
            yield f"  at least {database.replicas} replicas receive from it"
        if database.largest_size:
            yield f"  it is at most {format_size(database.largest_size)} large"


def _caches(caches: Mapping[str, CacheTarget]) -> Iterator[str]:
    for name, cache in caches.items():
        within = format_duration(cache.timeout)
        yield (
            f"{name}: {cache.url.scheme} at the address in the process environment answers within "
            f"{within}; it is only read"
        )
        yield (
            f"  at most {cache.memory_at_most} % of its memory limit is in use, replicas and "
            f"masters heard of each other within {format_duration(cache.replication_delay)}"
        )
        if cache.replicas:
            yield f"  at least {cache.replicas} replicas are online"


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
        if isinstance(rule.condition, Sustained):
            whose = {Over.ALL: "all subjects together", Over.SUBJECT: "each subject by itself"}
            yield (
                f"  of {whose[rule.over]}, at {percent(rule.confidence)} confidence, "
                f"from {rule.samples} observations on"
            )
            if rule.decide is Decide.EARLY:
                yield "  also before its period is full, as soon as that is sure"
        yield (
            f"  a suspicion is looked into every {interval} for {format_duration(trigger.timeout)},"
            " then it is a hold"
        )
        yield f'  from "{rule.phrase}" ({rule.source or "no file"})'


def _waivers(environment: Environment) -> Iterator[str]:
    for waiver in environment.waivers:
        at = f" at {waiver.place}" if waiver.finding and waiver.place != "*" else ""
        what = f"{waiver.check or waiver.finding}{at}"
        yield f"{what} until {waiver.expires}, by {waiver.owner}: {waiver.reason}"


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
    controls = ["this machine's loopback", "the names that are asked", *sampler.controls]
    yield f"while something is suspected, asks beside it: {', '.join(controls)}"
    flaky = "holds" if environment.flaky_checks_hold else "passes, and is noted"
    yield f"a check that passes only at a later attempt {flaky}"
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
