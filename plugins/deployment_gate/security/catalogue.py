"""All rules of security, by the modules that look for what breaks them."""

from __future__ import annotations

from deployment_gate.security.rules import Rule

_BY_MODULE: tuple[tuple[Rule, ...], ...] = ()

RULES: tuple[Rule, ...] = tuple(rule for rules in _BY_MODULE for rule in rules)
