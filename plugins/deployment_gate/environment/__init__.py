"""Environments: typed from their files, with the runbook's phrases understood."""

from deployment_gate.environment.api_sections import (
    ApiTarget,
    Collection,
    ErrorShape,
    Fact,
    Identity,
    Login,
    OpenApi,
    Paging,
    Refresh,
    Search,
    WhoAmI,
)
from deployment_gate.environment.data_fields import SecretAddress
from deployment_gate.environment.data_sections import (
    POSTGRESQL_SCHEMES,
    CacheTarget,
    DatabaseTarget,
)
from deployment_gate.environment.durations import format_duration, parse_duration
from deployment_gate.environment.errors import EnvironmentFileError, Position, Problem
from deployment_gate.environment.explain import explain
from deployment_gate.environment.fields import Content, Tier
from deployment_gate.environment.journey_sections import Expect, Journey, Retry, Step
from deployment_gate.environment.jsonpath import JsonPath
from deployment_gate.environment.loading import environment_names, load_environment
from deployment_gate.environment.matchers import Matcher, Word, read_matcher
from deployment_gate.environment.model import Environment
from deployment_gate.environment.phrases import (
    parse_action,
    parse_condition,
    parse_metric,
    parse_response_time,
    parse_target,
)
from deployment_gate.environment.policy import (
    HealthRule,
    Policy,
    TriggerRule,
    WaiverRule,
    policy_of,
)
from deployment_gate.environment.policy_sections import Required, Trigger, Waiver
from deployment_gate.environment.requests import READING, Part, RequestLine, Source, Told
from deployment_gate.environment.schema import environment_schema
from deployment_gate.environment.sections import (
    AlertResponse,
    AlertResponses,
    Allow,
    HealthEndpoint,
    Launch,
    PerformanceTargets,
    ReleaseEndpoint,
    Sampler,
    WebTarget,
)
from deployment_gate.environment.templates import fill, fill_text, names_in
from deployment_gate.environment.terms import (
    Action,
    Category,
    Comparison,
    Condition,
    Consecutive,
    Decide,
    Indicator,
    IndicatorKind,
    Over,
    Sustained,
    TargetPhrase,
    Unit,
    Watch,
    percent,
)

__all__ = [
    "POSTGRESQL_SCHEMES",
    "READING",
    "Action",
    "AlertResponse",
    "AlertResponses",
    "Allow",
    "ApiTarget",
    "CacheTarget",
    "Category",
    "Collection",
    "Comparison",
    "Condition",
    "Consecutive",
    "Content",
    "DatabaseTarget",
    "Decide",
    "Environment",
    "EnvironmentFileError",
    "ErrorShape",
    "Expect",
    "Fact",
    "HealthEndpoint",
    "HealthRule",
    "Identity",
    "Indicator",
    "IndicatorKind",
    "Journey",
    "JsonPath",
    "Launch",
    "Login",
    "Matcher",
    "OpenApi",
    "Over",
    "Paging",
    "Part",
    "PerformanceTargets",
    "Policy",
    "Position",
    "Problem",
    "Refresh",
    "ReleaseEndpoint",
    "RequestLine",
    "Required",
    "Retry",
    "Sampler",
    "Search",
    "SecretAddress",
    "Source",
    "Step",
    "Sustained",
    "TargetPhrase",
    "Tier",
    "Told",
    "Trigger",
    "TriggerRule",
    "Unit",
    "Waiver",
    "WaiverRule",
    "Watch",
    "WebTarget",
    "WhoAmI",
    "Word",
    "environment_names",
    "environment_schema",
    "explain",
    "fill",
    "fill_text",
    "format_duration",
    "load_environment",
    "names_in",
    "parse_action",
    "parse_condition",
    "parse_duration",
    "parse_metric",
    "parse_response_time",
    "parse_target",
    "percent",
    "policy_of",
    "read_matcher",
]
