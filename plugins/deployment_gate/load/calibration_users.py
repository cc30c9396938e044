"""Users of a server that answers at once, so that what they see is the generator's own delay."""

from locust import task

from deployment_gate.load.users import PacedUser


class Asker(PacedUser):
    """Asks for nothing in particular."""

    @task
    def ask_once(self) -> None:
        """Ask; whatever comes is right."""
        self.ask("GET", "/", name="at once", holds="{}")
