"""Paths as users write them, folders to write to, and atomic writing."""

import argparse
import pathlib

import pytest

from fgbg_tfds import files
from fgbg_tfds.errors import InputError


def test_the_home_folder_is_expanded(home):
    assert files.parse_path("~/a/b.jpg") == home / "a" / "b.jpg"
    assert files.expand("plain") == pathlib.Path("plain")


@pytest.mark.parametrize(
    ("text", "said"),
    [("~nobody_here/x", "~nobody_here is no home folder"), ("", "the path is empty")],
)
def test_a_path_that_leads_nowhere_is_told(text, said):
    with pytest.raises(argparse.ArgumentTypeError, match=said):
        files.parse_path(text)


def test_a_folder_that_is_missing_can_be_written_to_and_is_not_made(tmp_path):
    files.require_writable(tmp_path / "new" / "folder")
    assert list(tmp_path.iterdir()) == []


def test_places_that_refuse_are_told(refusing_place):
    with pytest.raises(InputError, match=r"cannot be written to \(.+\); give another"):
        files.require_writable(refusing_place)


def test_a_full_disk_leaves_the_old_files_and_nothing_else(tmp_path, full_disk):
    one, two = tmp_path / "one", tmp_path / "two"
    files.write_together({one: b"old", two: b"old"})
    with full_disk(), pytest.raises(InputError, match=r"two: cannot be written"):
        files.write_together({one: b"new", two: bytes(100_000)})
    assert one.read_bytes() == two.read_bytes() == b"old"
    assert sorted(tmp_path.iterdir()) == [one, two]
