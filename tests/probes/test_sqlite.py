"""What is seen of SQLite files, whole and damaged, and that they stay as they are."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.probes.databases import look


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    """A SQLite file at a revision, in a folder whose name needs quoting."""
    folder = tmp_path / "a folder?#%41"
    folder.mkdir()
    path = folder / "app.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE alembic_version (version_num text);"
            "INSERT INTO alembic_version VALUES ('4f2a');"
        )
    return path


def sqlite_url(path: Path) -> str:
    """The address of a SQLite file, quoted as the installed SQLAlchemy reads it."""
    from sqlalchemy import URL  # noqa: PLC0415

    return URL.create("sqlite", database=str(path)).render_as_string()


def test_a_sqlite_file_tells_its_revision_and_size(sqlite_file: Path) -> None:
    seen = look(sqlite_url(sqlite_file))
    assert (seen.error, seen.unobserved) == (None, None)
    assert seen.facts["revisions"] == ["4f2a"]
    assert seen.facts["size_bytes"] == sqlite_file.stat().st_size
    assert seen.facts["damage"] == []
    assert seen.facts["not_covered"] == ["transactions", "lock_waits"]


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_a_sqlite_file_and_what_stands_beside_it_stay_as_they_are(
    sqlite_file: Path, journal: str
) -> None:
    with closing(sqlite3.connect(sqlite_file)) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
    before = {file: file.read_bytes() for file in sqlite_file.parent.iterdir()}
    look(sqlite_url(sqlite_file))
    assert {file: file.read_bytes() for file in sqlite_file.parent.iterdir()} == before


def test_a_sqlite_file_in_use_is_read_with_what_its_log_has(sqlite_file: Path) -> None:
    with closing(sqlite3.connect(sqlite_file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("UPDATE alembic_version SET version_num = '9b1c'")
        assert look(sqlite_url(sqlite_file)).facts["revisions"] == ["9b1c"]


def test_a_damaged_sqlite_file_is_the_targets(sqlite_file: Path) -> None:
    sqlite_file.write_bytes(sqlite_file.read_bytes()[:4096] + b"x" * 4096)
    seen = look(sqlite_url(sqlite_file))
    assert (seen.error or "").startswith("its file is damaged")


def test_a_sqlite_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "missing.db"
    seen = look(sqlite_url(path))
    assert seen.error is None
    assert "unable to open database file" in (seen.unobserved or "")
    assert not path.exists()
