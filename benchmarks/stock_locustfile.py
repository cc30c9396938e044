"""Locust as it comes: 100 users that ask one path, paced by `constant_throughput`.

Example: locust -f benchmarks/stock_locustfile.py --headless -u 100 -r 100 --host http://127.0.0.1:8000
"""

from __future__ import annotations

import os

from locust import FastHttpUser, constant_throughput, task

USERS = 100


class Stock(FastHttpUser):
    """Asks one path, at its share of the rate."""

    wait_time = constant_throughput(float(os.environ.get("STOCK_RATE", "100")) / USERS)

    @task
    def ask(self) -> None:
        """Ask once."""
        self.client.get(os.environ.get("STOCK_PATH", "/"))
