"""Which checks one of xdist's workers carries out together, since they share what was looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from deployment_gate.environment import Category

if TYPE_CHECKING:
    import pytest

    from deployment_gate.environment import Environment


class SharedLooks(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Checks of one page stay on one worker, as those of one load and all of security do.

    All others are spread.

    Args:
        config: pytest's.
        log: xdist's, which stays silent unless it is asked to speak.
        environment: What is validated.
    """

    def __init__(self, config: pytest.Config, log: Any, environment: Environment) -> None:
        super().__init__(config, log)
        self._pages = _pages_of(environment)

    def remove_node(self, node: Any) -> str | None:
        """Have others carry out what a worker that died has left, but not what it died of.

        xdist's own would have each new worker die of it, for ever.
        """
        workload: dict[str, dict[str, bool]] = self.assigned_work[node]
        for checks in workload.values():
            for check, is_done in checks.items():
                if not is_done:
                    checks[check] = True
                    super().remove_node(node)
                    return check
        super().remove_node(node)
        return None

    def _split_scope(self, nodeid: str) -> str:
        """What a check shares its looks by; its own id where it shares none."""
        folders, _, repeated_for = nodeid.partition("[")
        # They share one ceiling of requests.
        if f"/{Category.SECURITY.value}/" in f"/{folders}":
            return Category.SECURITY.value
        subject = repeated_for.removesuffix("]")
        for category in (Category.FRONTEND, Category.PERFORMANCE):
            if subject and f"/{category.value}/" in f"/{folders}":
                return f"{category.value} {self._pages.get(subject, subject)}"
        return nodeid


def _pages_of(environment: Environment) -> dict[str, str]:
    """The page that a check is repeated for, by what stands in the brackets of its id."""
    web = environment.web
    if web is None:
        return {}
    return {f"{page}-{device}": page for page in web.shown for device in web.devices}
