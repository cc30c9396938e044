"""The environment file of a platform that was looked at: written, loaded once, put in its place."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory

from deployment_gate.discovery.errors import DiscoveryError
from deployment_gate.discovery.platform import Platform
from deployment_gate.discovery.writing import SCHEMA, Writer
from deployment_gate.environment import EnvironmentFileError, load_environment


def demand_place(name: str, directory: Path, *, replaces: bool) -> Path:
    """Answer where the file goes, before anything is asked.

    Args:
        name: The environment's.
        directory: Where environment files are.
        replaces: Whether a file that is there may be replaced.

    Raises:
        DiscoveryError: There is no such folder, or a file that may not be replaced.
    """
    path = directory / f"{name}.yaml"
    if not directory.is_dir():
        raise DiscoveryError(
            f"{directory}: no such folder of environment files. Make it (mkdir -p {directory}), or "
            "name yours by --env-dir DIR"
        )
    if path.exists() and not replaces:
        raise DiscoveryError(
            f"{path} is there already, and stays as it is. Name the new one otherwise by --name, "
            "or replace this one by --force"
        )
    return path


def file_of(
    platform: Platform, name: str, directory: Path, *, variables: Mapping[str, str], today: date
) -> str:
    """Answer the text of the file, which was loaded once to see that it can be.

    What needs somebody signed in waits as a comment, unless the variables for it are set.

    Args:
        platform: What was found.
        name: What the environment is called.
        directory: Where the file will be.
        variables: The process environment.
        today: The day that it is.

    Raises:
        DiscoveryError: What was found makes no file that can be loaded.
    """
    text = Writer(platform, name, variables).written(
        today, has_schema=(directory / SCHEMA).is_file()
    )
    with TemporaryDirectory(prefix="deployment-gate-init-") as folder:
        (Path(folder) / f"{name}.yaml").write_text(text, encoding="utf-8")
        try:
            load_environment(name, Path(folder), variables=variables)
        except EnvironmentFileError as error:
            told = str(error).replace(f"{folder}{os.sep}", "")
            raise DiscoveryError(
                f"what was found makes no environment file that can be used: {told}\nWrite it by "
                "hand, as docs/environments.md tells"
            ) from error
    return text


def write_file(path: Path, text: str, *, replaces: bool) -> None:
    """Put a file in its place at once: whole, or not at all.

    Args:
        path: Where.
        text: What it says.
        replaces: Whether a file that is there may be replaced.

    Raises:
        DiscoveryError: It can't be written, or another one has come there meanwhile.
    """
    temporary: Path | None = None
    try:
        with NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # it holds no secret, and others work with it, too
        if replaces:
            temporary.replace(path)
        else:
            _move_where_nothing_is(temporary, path)
    except FileExistsError as error:
        raise DiscoveryError(
            f"{path} has come there meanwhile, and stays as it is. Replace it by --force"
        ) from error
    except OSError as error:
        raise DiscoveryError(
            f"{path}: can't be written ({error.strerror}). Make room or give leave there, or name "
            "another folder by --env-dir"
        ) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def _move_where_nothing_is(temporary: Path, path: Path) -> None:
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        path.touch(exist_ok=False)
        temporary.replace(path)
