"""The file is put in its place whole, and never in that of another."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployment_gate.discovery import DiscoveryError, demand_place, write_file


def test_a_folder_that_is_not_there_is_told_with_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(DiscoveryError, match=r"no such folder.*mkdir -p .*--env-dir DIR"):
        demand_place("shop", tmp_path / "environments", replaces=False)


def test_a_file_that_is_there_stays_unless_it_may_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text("mine")

    with pytest.raises(DiscoveryError, match=r"is there already.*--name.*--force"):
        demand_place("shop", tmp_path, replaces=False)

    assert demand_place("shop", tmp_path, replaces=True) == path


def test_one_that_came_there_meanwhile_stays(tmp_path: Path) -> None:
    path = demand_place("shop", tmp_path, replaces=False)
    path.write_text("mine")

    with pytest.raises(DiscoveryError, match="has come there meanwhile"):
        write_file(path, "new", replaces=False)

    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("replaces", [False, True])
def test_it_is_written_whole_and_nothing_beside_it(tmp_path: Path, *, replaces: bool) -> None:
    path = tmp_path / "shop.yaml"
    if replaces:
        path.write_text("old")

    write_file(path, "ü" * 100_000, replaces=replaces)

    assert path.read_text(encoding="utf-8") == "ü" * 100_000
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_folder_that_takes_no_file_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DiscoveryError, match=r"can't be written.*--env-dir"):
        write_file(tmp_path / "gone" / "shop.yaml", "new", replaces=False)


def test_a_link_that_is_there_is_replaced_and_not_followed(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("mine")
    path = tmp_path / "shop.yaml"
    path.symlink_to(mine)

    write_file(path, "new", replaces=True)

    assert (mine.read_text(), path.read_text(), path.is_symlink()) == ("mine", "new", False)
