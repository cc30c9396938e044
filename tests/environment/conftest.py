"""A directory of environment files that a test writes itself."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import settings

from deployment_gate.environment import Environment, EnvironmentFileError, load_environment

# How long an example takes says nothing on a machine that others share.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")

MINIMAL = "health_endpoints:\n  api:\n    url: http://api/health\n"


class Directory:
    """Environment files in a directory of their own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str) -> None:
        """Write one environment's file."""
        (self.path / f"{name}.yaml").write_text(text, encoding="utf-8")

    def load(self, name: str, variables: Mapping[str, str] | None = None) -> Environment:
        """Load one of the environments."""
        return load_environment(name, self.path, variables=variables or {})

    def complaint(self, name: str, variables: Mapping[str, str] | None = None) -> str:
        """Answer what loading complains of, without the directory."""
        with pytest.raises(EnvironmentFileError) as caught:
            self.load(name, variables)
        return str(caught.value).replace(f"{self.path}/", "")


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    """An empty directory of environment files."""
    return Directory(tmp_path)


@pytest.fixture
def load(directory: Directory) -> Callable[..., Environment]:
    """Load an environment from its text."""

    def load(text: str, **variables: str) -> Environment:
        directory.write("here", text)
        return directory.load("here", variables)

    return load


@pytest.fixture
def complaint(directory: Directory) -> Callable[..., str]:
    """Answer what is wrong with an environment's text."""

    def complaint(text: str, **variables: str) -> str:
        directory.write("here", text)
        return directory.complaint("here", variables)

    return complaint


@pytest.fixture
def minimal() -> str:
    """The text of the smallest valid environment."""
    return MINIMAL
