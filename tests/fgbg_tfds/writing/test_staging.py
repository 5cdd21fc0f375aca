import os
import shutil

import pytest

from fgbg_tfds import storage
from fgbg_tfds.errors import InputError
from fgbg_tfds.writing import staging
from fgbg_tfds.writing.examples import Encoded

ORIGIN = {"settings": {"seed": 0}, "versions": {"pillow": "12.3.0"}}
BATCH = [
    Encoded(b"jpeg", b"png", b"deep", (0.1, 0.2, 0.3, 1 / 3)),
    Encoded(b"", b"", b"", (0,) * 4),
]


def test_batch_comes_back_as_it_was_kept(tmp_path):
    kept = staging.open_staging(tmp_path, "abc", ORIGIN)
    assert kept.read_batch("shard", 3) is None
    kept.keep_batch("shard", 3, BATCH)
    assert kept.read_batch("shard", 3) == BATCH
    assert staging.open_staging(tmp_path, "abc", ORIGIN).read_batch("shard", 3) == BATCH


def test_finished_shard_replaces_its_batches(tmp_path):
    kept = staging.open_staging(tmp_path, "abc", ORIGIN)
    kept.keep_batch("shard", 0, BATCH)
    kept.keep_batch("other", 0, BATCH)
    (tmp_path / "shard").write_bytes(b"records")
    kept.keep_shard(tmp_path / "shard")
    assert kept.locate_shard("shard").read_bytes() == b"records"
    assert kept.read_batch("shard", 0) is None
    assert kept.read_batch("other", 0) == BATCH


def test_a_file_that_two_workers_write_is_whole_whenever_it_is_there(tmp_path):
    kept = staging.open_staging(tmp_path, "abc", ORIGIN)
    path = tmp_path / "shard"
    with kept.write_whole(path) as late:
        late.write_bytes(b"rec")
        with kept.write_whole(path) as early:
            early.write_bytes(b"records")
        kept.keep_shard(path)
        late.write_bytes(b"reco")  # one that was taken for dead is still at it
        assert path.read_bytes() == b"records"
        late.write_bytes(b"records")
    assert kept.locate_shard("shard").read_bytes() == path.read_bytes() == b"records"
    with pytest.raises(KeyError), kept.write_whole(path) as partial:
        partial.write_bytes(b"re")
        raise KeyError
    assert path.read_bytes() == b"records"
    assert kept.list_names() == {"shard", staging.ORIGIN}


def test_what_other_builds_left_is_removed(tmp_path):
    staging.open_staging(tmp_path, "old", ORIGIN).keep_batch("shard", 0, BATCH)
    (tmp_path / "incomplete.ABC_1.0.0").mkdir()
    (tmp_path / "1.0.0").mkdir()
    new = staging.open_staging(tmp_path, "new", ORIGIN)
    assert {path.name for path in tmp_path.iterdir()} == {"1.0.0", new.folder.name}
    staging.close_staging(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["1.0.0"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_was_staged_with_other_versions_is_not_lost_without_a_word(
    tmp_path, overwrite
):
    staging.open_staging(tmp_path, "old", ORIGIN).keep_batch("shard", 0, BATCH)
    newer = ORIGIN | {"versions": {"pillow": "13.0.0"}}
    if overwrite:
        staging.open_staging(tmp_path, "new", newer, overwrite=True)
        assert [path.name for path in tmp_path.iterdir()] == ["resume.new"]
        return
    with pytest.raises(
        InputError, match=r"with pillow 12\.3\.0, and here is pillow 13"
    ):
        staging.open_staging(tmp_path, "new", newer)
    again = staging.open_staging(tmp_path, "old", ORIGIN)
    assert again.read_batch("shard", 0) == BATCH
    other = {"settings": {"seed": 1}, "versions": newer["versions"]}
    staging.open_staging(tmp_path, "new", other)
    assert [path.name for path in tmp_path.iterdir()] == ["resume.new"]


def test_second_build_of_a_config_is_refused_while_one_is_at_work(tmp_path):
    with (
        staging.BuildLock(tmp_path),
        pytest.raises(InputError, match="another build"),
        staging.BuildLock(tmp_path),
    ):
        pass
    with staging.BuildLock(tmp_path):
        pass


def test_lock_of_a_killed_build_does_not_stand_in_the_way(tmp_path):
    (tmp_path / ".building.lock").touch()
    with staging.BuildLock(tmp_path):
        pass


def test_too_small_a_disk_is_refused_before_the_start(tmp_path):
    free = shutil.disk_usage(tmp_path).free
    staging.require_space(tmp_path / "not" / "yet", free // 2)
    with pytest.raises(InputError, match="GB are free"):
        staging.require_space(tmp_path / "not" / "yet", 2 * free + 10**12)


def test_what_a_killed_build_left_is_not_needed_again(tmp_path, monkeypatch):
    folder = staging.open_staging(tmp_path, "abc", ORIGIN).folder
    (tmp_path / "incomplete.ABC_1.0.0").mkdir()
    written = tmp_path / "incomplete.ABC_1.0.0" / "shard"
    written.write_bytes(b"x" * 5000)
    storage.link(written, folder / "shard")
    disk = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: disk)
    staging.require_space(tmp_path, 6000)
    with pytest.raises(InputError, match=r"needs about 0\.0 MB"):
        staging.require_space(tmp_path, 7000)


def test_bucket_keeps_shards_and_no_batches(bucket):
    kept = staging.open_staging(bucket / "config", "abc", ORIGIN)
    kept.keep_batch("shard", 0, BATCH)
    assert kept.read_batch("shard", 0) is None
    (bucket / "shard").write_bytes(b"records")
    kept.keep_shard(bucket / "shard")
    kept.keep_shard(bucket / "shard")
    assert kept.locate_shard("shard").read_bytes() == b"records"
    again = staging.open_staging(bucket / "config", "abc", ORIGIN)
    assert again.locate_shard("shard").exists()
    staging.close_staging(bucket / "config")
    assert not again.locate_shard("shard").exists()


def test_bucket_has_room_and_no_lock(bucket):
    staging.require_space(bucket, 10**18)
    with staging.BuildLock(bucket), staging.BuildLock(bucket):
        pass


def test_finished_build_leaves_nothing_even_if_killed_at_the_end(tmp_path):
    staging.open_staging(tmp_path, "abc", ORIGIN)
    (tmp_path / "1.0.0").mkdir()
    (tmp_path / ".building.lock").touch()
    with staging.BuildLock(tmp_path):
        staging.remove_leftovers(tmp_path)  # another build is at work
        assert staging.list_leftovers(tmp_path)
    staging.remove_leftovers(tmp_path)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == [".building.lock", "1.0.0"]


def test_notes_cut_short_by_a_kill_are_removed_and_those_being_written_are_not(
    tmp_path,
):
    notes = tmp_path / ".config"
    notes.mkdir()
    old, new = (
        notes / "incomplete.1.metadata.json",
        notes / "incomplete.2.metadata.json",
    )
    for path in (old, new, notes / "metadata.json"):
        path.write_text("{}")
    os.utime(old, (1e9, 1e9))
    staging.close_staging(tmp_path / "sample")
    assert sorted(notes.iterdir()) == [new, notes / "metadata.json"]


def test_the_first_error_is_told_where_workers_still_fill_the_folder(tmp_path):
    (tmp_path / "file of a worker").touch()
    with (
        pytest.raises(InputError, match="lost"),
        storage.report_disk_errors(tmp_path),
    ):
        try:
            raise InputError("lost")
        finally:
            tmp_path.rmdir()
