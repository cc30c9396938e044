"""What a running sandbox leaves on disk: where it is, who holds it, which faults are set."""

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.fault import FaultSettings

LOCK_PATIENCE_S = 1.0
DATABASE = "platform.sqlite3"
FILES = ("sandbox.json", "faults.json", DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", "lock")


@dataclass(slots=True, frozen=True)
class RunningSandbox:
    """Where a running sandbox answers and which processes it is."""

    release: str
    api_url: str
    web_url: str
    supervisor_pid: int
    api_pid: int
    web_pid: int
    state_dir: str
    plain_url: str | None = None
    ca: str | None = None


def default_state_root() -> Path:
    """Return this user's own directory for the state of sandboxes, made when missing."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    root = (
        Path(runtime) / "openpolicy-sandbox"
        if runtime
        else Path(tempfile.gettempdir()) / f"openpolicy-sandbox-{os.getuid()}"
    )
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if root.stat().st_uid != os.getuid():
        raise SandboxError(f"{root} belongs to another user; say --state-dir DIR.")
    return root


def write_atomically(path: Path, content: object) -> None:
    """Replace the file by that content as JSON; a reader sees the old or the new, whole."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "w") as file:
        json.dump(content, file, indent=2)
    Path(temporary).replace(path)


@contextmanager
def claim(state_dir: Path) -> Iterator[None]:
    """Hold the state directory, empty, for the length of the block; remove it at the end.

    The kernel drops the lock when its holder dies, so a killed run's state is simply replaced.
    """
    deadline = time.monotonic() + LOCK_PATIENCE_S
    while (lock := try_to_hold(state_dir)) is None:
        if time.monotonic() > deadline:
            raise SandboxError(
                f"A sandbox already runs with the state directory {state_dir}; "
                "end it, or say another --state-dir DIR."
            )
        time.sleep(0.02)
    try:
        remove_files(state_dir, FILES[:-1])
        try:
            yield
        finally:
            remove_files(state_dir, FILES)
            with suppress(OSError):  # it was there before and holds other files
                state_dir.rmdir()
    finally:
        os.close(lock)


def try_to_hold(state_dir: Path) -> int | None:
    """Lock the directory's lock file; None when another sandbox has it, or is just leaving."""
    path = state_dir / "lock"
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if take_lock(lock) and os.path.samestat(os.fstat(lock), path.stat()):
            return lock
    except FileNotFoundError:  # the one that leaves has removed it meanwhile
        return None
    os.close(lock)
    return None


def take_lock(lock: int) -> bool:
    """Try to lock the file; say whether that went well."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def remove_files(directory: Path, names: tuple[str, ...]) -> None:
    """Remove those of the named files that are there."""
    for name in names:
        (directory / name).unlink(missing_ok=True)


def write_running(running: RunningSandbox) -> None:
    """Tell other commands where the sandbox answers."""
    write_atomically(Path(running.state_dir) / "sandbox.json", asdict(running))


def read_running(state_dir: Path) -> RunningSandbox | None:
    """Return the sandbox that runs with that state directory; None when none does."""
    try:
        lock = os.open(state_dir / "lock", os.O_RDWR)
    except OSError:
        return None
    try:
        if take_lock(lock):
            return None
        return RunningSandbox(**json.loads((state_dir / "sandbox.json").read_text()))
    except FileNotFoundError:  # it is still starting
        return None
    finally:
        os.close(lock)


def find_running(state_dir: Path | None) -> list[RunningSandbox]:
    """Return the sandbox of that state directory, or all of this user's in the default place."""
    places = [state_dir] if state_dir else sorted(default_state_root().iterdir())
    return [running for place in places if (running := read_running(place))]


def read_faults(state_dir: Path) -> FaultSettings:
    """Return the faults that are set."""
    settings: FaultSettings = json.loads((state_dir / "faults.json").read_text())
    return settings


def add_fault(state_dir: Path, name: str, value: float | None) -> None:
    """Set one more fault, beside those that are set; two at a time don't lose one."""
    directory = os.open(state_dir, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        replace_faults(state_dir, {**read_faults(state_dir), name: value})
    finally:
        os.close(directory)


def replace_faults(state_dir: Path, settings: FaultSettings) -> None:
    """Set exactly these faults; the server processes notice at their next request."""
    write_atomically(state_dir / "faults.json", dict(settings))
