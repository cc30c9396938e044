"""This suite's kind of user, asking one path, for what measures it."""

from __future__ import annotations

import os

from locust import task

from deployment_gate.load.users import PacedUser


class Own(PacedUser):
    """Asks one path when it is due."""

    @task
    def once(self) -> None:
        """Ask once."""
        path = os.environ.get("OWN_PATH", "/")
        self.ask("GET", path, name=path, holds="items")
