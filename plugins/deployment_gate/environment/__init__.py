"""Environments: typed from their files, with the runbook's phrases understood."""

from deployment_gate.environment.durations import format_duration, parse_duration
from deployment_gate.environment.errors import EnvironmentFileError, Position, Problem
from deployment_gate.environment.explain import explain
from deployment_gate.environment.fields import Category, Content, Tier
from deployment_gate.environment.loading import environment_names, load_environment
from deployment_gate.environment.model import Environment
from deployment_gate.environment.phrases import (
    parse_action,
    parse_condition,
    parse_metric,
    parse_response_time,
    parse_target,
)
from deployment_gate.environment.policy import HealthRule, Policy, TriggerRule, policy_of
from deployment_gate.environment.schema import environment_schema
from deployment_gate.environment.sections import (
    AlertResponse,
    AlertResponses,
    Allow,
    ApiTarget,
    HealthEndpoint,
    Launch,
    Login,
    PerformanceTargets,
    ReleaseEndpoint,
    Required,
    Sampler,
    Trigger,
    WebTarget,
)
from deployment_gate.environment.terms import (
    Action,
    Comparison,
    Condition,
    Consecutive,
    Indicator,
    IndicatorKind,
    Sustained,
    TargetPhrase,
    Unit,
    Watch,
    percent,
)

__all__ = [
    "Action",
    "AlertResponse",
    "AlertResponses",
    "Allow",
    "ApiTarget",
    "Category",
    "Comparison",
    "Condition",
    "Consecutive",
    "Content",
    "Environment",
    "EnvironmentFileError",
    "HealthEndpoint",
    "HealthRule",
    "Indicator",
    "IndicatorKind",
    "Launch",
    "Login",
    "PerformanceTargets",
    "Policy",
    "Position",
    "Problem",
    "ReleaseEndpoint",
    "Required",
    "Sampler",
    "Sustained",
    "TargetPhrase",
    "Tier",
    "Trigger",
    "TriggerRule",
    "Unit",
    "Watch",
    "WebTarget",
    "environment_names",
    "environment_schema",
    "explain",
    "format_duration",
    "load_environment",
    "parse_action",
    "parse_condition",
    "parse_duration",
    "parse_metric",
    "parse_response_time",
    "parse_target",
    "percent",
    "policy_of",
]
