"""The sections about databases and caches, and that no part of their addresses is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from deployment_gate.environment import (
    CacheTarget,
    DatabaseTarget,
    Environment,
    SecretAddress,
    environment_schema,
    explain,
)
from deployment_gate.environment.sizes import format_size, parse_size

DATABASE = "postgresql://gate:a%40secret-word@db:5432/app"
CACHE = "redis://:another-secret@cache:6379/0"
BOTH = 'databases: {main: {url: "${DB}"}}\ncaches: {sessions: {url: "${CACHE}"}}\n'


def test_an_environment_may_have_only_databases_or_only_caches(
    load: Callable[..., Environment],
) -> None:
    assert list(load('databases: {main: {url: "${DB}"}}\n', DB=DATABASE).databases) == ["main"]
    assert list(load('caches: {sessions: {url: "${CACHE}"}}\n', CACHE=CACHE).caches) == ["sessions"]


def test_what_is_not_written_is_what_the_documentation_says(
    load: Callable[..., Environment],
) -> None:
    environment = load(BOTH, DB=DATABASE, CACHE=CACHE)
    database, cache = environment.databases["main"], environment.caches["sessions"]
    assert database == DatabaseTarget(
        url=database.url,
        migrations=None,
        migrations_table="alembic_version",
        longest_transaction=timedelta(minutes=5),
        longest_lock_wait=timedelta(seconds=30),
        replication_delay=timedelta(seconds=30),
        largest_size=None,
        connections_at_most=90,
        timeout=timedelta(seconds=10),
    )
    assert cache == CacheTarget(
        url=cache.url,
        memory_at_most=95,
        replication_delay=timedelta(seconds=30),
        timeout=timedelta(seconds=5),
    )


def test_infrastructure_is_covered_and_required_where_data_are(
    load: Callable[..., Environment], minimal: str
) -> None:
    bare, with_data = load(minimal), load(minimal + BOTH, DB=DATABASE, CACHE=CACHE)
    assert "infrastructure: no `databases` and no `caches` section" in bare.not_covered()
    assert not any(gap.startswith("infrastructure:") for gap in with_data.not_covered())
    assert with_data.required_categories("smoke") == ("health", "infrastructure")


def test_address_and_password_are_secrets(load: Callable[..., Environment]) -> None:
    secrets = load(BOTH, DB=DATABASE, CACHE=CACHE).secrets
    assert {DATABASE, "a%40secret-word", "a@secret-word", CACHE, "another-secret"} <= secrets


@pytest.mark.parametrize(
    "address",
    [
        "postgresql+asyncpg://gate@db/app?password=a-secret-word",
        "mysql+pymysql://gate:a-secret-word@db/app?charset=utf8mb4",
        "postgresql://gate:a-secret-word@/app?host=/run/postgresql",
        "postgresql://gate:a-secret-word@[::1]:5432/app",
    ],
)
def test_a_password_is_found_wherever_it_stands(address: str) -> None:
    assert "a-secret-word" in set(SecretAddress(address).secrets())


def test_neither_explain_nor_a_dump_tells_a_password(load: Callable[..., Environment]) -> None:
    environment = load(BOTH, DB=DATABASE, CACHE=CACHE)
    told = explain(environment) + repr(environment) + environment.model_dump_json()
    assert not any(secret in told for secret in environment.secrets)


def test_databases_and_caches_are_explained(load: Callable[..., Environment]) -> None:
    told = explain(
        load(
            'databases: {main: {url: "${DB}", migrations: [4f2a, 9b1c], largest_size: 50 GB}}\n'
            'caches: {sessions: {url: "${CACHE}"}}\n',
            DB=DATABASE,
            CACHE=CACHE,
        )
    )
    assert "Databases\n  main: postgresql at the address in the process environment" in told
    assert "alembic_version is at 4f2a and 9b1c" in told
    assert "no transaction is open for more than 5 minutes" in told
    assert "it is at most 50 GB large" in told
    assert "Caches\n  sessions: redis at" in told
    assert "at most 95 % of its memory limit is in use" in told


@pytest.mark.parametrize("written", [DATABASE, '"${DB}/app"', '"postgresql://${DB}"'])
def test_an_address_must_come_whole_from_the_process_environment(
    complaint: Callable[..., str], written: str
) -> None:
    told = complaint(f"databases: {{main: {{url: {written}}}}}\n", DB="x:a-secret-word@db")
    assert told.startswith("here.yaml:1: databases.main.url: addresses that hold a password")
    assert "Write ${NAME}" in told
    assert "secret-word" not in told


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("", "holds no such address"),
        ("db:5432", "holds no such address"),
        ("post gres://db/app", "holds no such address"),
        ("postgresql://gate:secret word@db/app", "holds no such address"),
        ("postgresql://gate:a@secret@db/app", "must be quoted"),
        ("postgresql://gate:a/secret@db/app", "must be quoted"),
        ("postgresql://gate:a?secret@db/app", "must be quoted"),
        ("postgresql://gate:a#secret@db/app", "must be quoted"),
        ("postgresql://gate:abc@db/app", "fewer than 4 characters"),
        ("postgresql://gate@db/app?password=abc", "fewer than 4 characters"),
    ],
)
def test_an_address_that_cannot_be_kept_secret_is_refused_without_telling_it(
    complaint: Callable[..., str], address: str, reason: str
) -> None:
    told = complaint('databases: {main: {url: "${DB}"}}\n', DB=address)
    assert 'databases.main.url: "${DB}" ' in told
    assert reason in told
    assert "secret" not in told


@pytest.mark.parametrize("address", ["postgresql://cache/0", "http://cache", "rediss:cache"])
def test_a_cache_is_a_redis(complaint: Callable[..., str], address: str) -> None:
    told = complaint('caches: {sessions: {url: "${CACHE}"}}\n', CACHE=address)
    assert "Set one like redis://NAME:PASSWORD@HOST:6379/0" in told


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("migrations: 4", "must be a revision in quotes or a list of them"),
        ("migrations: []", "must be a revision in quotes or a list of them"),
        ("migrations_table: 'x; DROP TABLE y'", "is no name of a table"),
        ("migrations_table: a.b.c", "is no name of a table"),
        ("largest_size: 50", "must be a size with its unit"),
        ("largest_size: 50 Gigs", "Write it as in 50 GB, 512 MiB, 1.5 TB"),
        ("largest_size: 0 GB", "isn't above zero"),
        ("connections_at_most: 101", "must be at most 100"),
        ("connections_at_most: 0", "must be at least 1"),
        ("longest_transaction: 5", "has no unit"),
        ("password: x", "isn't a key that is known here"),
    ],
)
def test_what_is_not_valid_is_refused_with_what_would_be(
    complaint: Callable[..., str], written: str, reason: str
) -> None:
    told = complaint(f'databases: {{main: {{url: "${{DB}}", {written}}}}}\n', DB=DATABASE)
    assert told.startswith("here.yaml:1: databases.main.")
    assert reason in told


def test_revisions_are_one_or_several(load: Callable[..., Environment]) -> None:
    for written, revisions in (("4f2a", ("4f2a",)), ("[4f2a, 9b1c]", ("4f2a", "9b1c"))):
        text = f'databases: {{main: {{url: "${{DB}}", migrations: {written}}}}}\n'
        assert load(text, DB=DATABASE).databases["main"].migrations == revisions


def test_revisions_and_figures_may_be_variables(load: Callable[..., Environment]) -> None:
    text = 'databases: {main: {url: "${DB}", migrations: "${R}", connections_at_most: "${N}"}}\n'
    main = load(text, DB=DATABASE, R="4f2a", N="80").databases["main"]
    assert (main.migrations, main.connections_at_most) == (("4f2a",), 80)


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("1 kB", 1000),
        ("2MB", 2_000_000),
        ("50 GB", 50_000_000_000),
        ("1.5 TB", 1_500_000_000_000),
        ("1 KiB", 1024),
        ("512 MiB", 536_870_912),
        ("2 gib", 2_147_483_648),
        ("1 TiB", 1_099_511_627_776),
    ],
)
def test_sizes_have_units_of_1000_and_of_1024(written: str, size: int) -> None:
    assert parse_size(written) == size


@pytest.mark.parametrize("written", ["", "GB", "5", "5 B", "5 Gbit", "-5 GB", "5,5 GB", "5 GB/s"])
def test_what_is_no_size_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="isn't understood as a size"):
        parse_size(written)


def test_a_size_is_told_in_three_digits() -> None:
    assert [format_size(size) for size in (512, 2**20, 50 * 10**9, 7 * 10**15)] == [
        "0.512 kB",
        "1.05 MB",
        "50 GB",
        "7e+03 TB",
    ]


def test_only_postgresql_has_statistics_that_are_read() -> None:
    has = {
        scheme: DatabaseTarget(url=SecretAddress(f"{scheme}://db/app")).statistics
        for scheme in ("postgresql", "postgres", "postgresql+asyncpg", "sqlite", "mysql+pymysql")
    }
    assert [scheme for scheme, statistics in has.items() if statistics] == [
        "postgresql",
        "postgres",
        "postgresql+asyncpg",
    ]


@pytest.mark.parametrize(
    ("section", "is_valid"),
    [
        ({"url": "${DB}", "migrations": "4f2a", "largest_size": "50 GB"}, True),
        ({"url": "${DB}", "migrations": ["4f2a"], "connections_at_most": "${N}"}, True),
        ({"url": "postgresql://gate:secret@db/app"}, False),
        ({"url": "${DB}", "largest_size": 50}, False),
        ({"url": "${DB}", "connections_at_most": 101}, False),
    ],
)
def test_the_schema_is_of_one_mind_with_the_loader(
    section: dict[str, object], *, is_valid: bool
) -> None:
    validator = jsonschema.Draft202012Validator(environment_schema())
    assert validator.is_valid({"databases": {"main": section}}) is is_valid


def test_the_example_of_the_documentation_is_understood(load: Callable[..., Environment]) -> None:
    text = (Path(__file__).parents[2] / "docs" / "data-layer.md").read_text(encoding="utf-8")
    example = text.partition("```yaml\n")[2].partition("```")[0]
    environment = load(example, GATE_DATABASE_URL=DATABASE, GATE_CACHE_URL=CACHE)
    assert environment.databases["main"].migrations == ("ae1027a6acf",)
    assert list(environment.caches) == ["sessions"]
