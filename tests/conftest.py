"""What the tests share: pytest's own fixtures for testing plugins."""

pytest_plugins = ["pytester"]
