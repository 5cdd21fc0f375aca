"""Files of the data set: how they are cut, by whom they are written, and where."""

import itertools
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
import tensorflow_datasets as tfds
from apache_beam.options.pipeline_options import PipelineOptions
from tensorflow_datasets import download

from fgbg_tfds import Builder, FgbgConfig
from fgbg_tfds.errors import InputError
from fgbg_tfds.settings import Settings
from fgbg_tfds.writing import shards, staging
from fgbg_tfds.writing.examples import Studio
from fgbg_tfds.writing.recipe import make_recipe, open_sources

ALL = shards.Cut()


def config_of(folders, **fields):
    return FgbgConfig(
        "small",
        foregrounds=str(folders / "foregrounds"),
        backgrounds=str(folders / "backgrounds"),
        **{"image_size": 64, "placements": 2, "teacher": "none", **fields},
    )


def files_of(builder):
    return {path.name: path.read_bytes() for path in builder.data_path.iterdir()}


@pytest.fixture
def short_shards(monkeypatch):
    """Shards of 3: 48 composites make 16, of one split 11."""
    monkeypatch.setattr(shards, "EXAMPLES_PER_SHARD", 3)


@pytest.fixture
def local(drawn_folders, short_shards, tmp_path):
    builder = Builder(config=config_of(drawn_folders), data_dir=str(tmp_path / "local"))
    builder.download_and_prepare()
    return builder


def test_whole_recipe_makes_sensible_files():
    settings = Settings(foregrounds="drawn:100", backgrounds="drawn:100")
    cut = shards.cut_shards(
        recipe_of(settings), lambda *names: "-".join(map(str, names)), ALL
    )
    every = [shard for members in cut.values() for shard in members]
    assert sum(map(len, every)) == 400_000
    assert {split: len(members) for split, members in cut.items()} == {
        "train": 500,
        "validation": 8,
        "test": 8,
        "cross": 266,
    }
    assert max(map(len, every)) == 512


@pytest.mark.parametrize("number", [1, 3, 7])
def test_as_many_files_as_are_asked_for(number):
    recipe = recipe_of(Settings())
    cut = shards.cut_shards(recipe, lambda *names: "", shards.Cut(num_shards=number))
    assert {len(members) for members in cut.values()} == {number}
    for split, members in cut.items():
        assert sum(map(len, members)) == len(recipe.splits[split])
        assert max(map(len, members)) - min(map(len, members)) <= 1
    few = shards.cut_shards(recipe, lambda *names: "", shards.Cut(2, num_shards=number))
    assert {len(members) for members in few.values()} == {min(number, 2)}


def test_files_are_no_larger_than_is_asked_for():
    config = tfds.download.DownloadConfig(max_shard_size=4 << 20)
    cut = shards.Cut.from_download_config(config, 224)
    most = max(
        len(shard)
        for members in shards.cut_shards(
            recipe_of(Settings()), lambda *names: "", cut
        ).values()
        for shard in members
    )
    assert most == (4 << 20) // round(224**2 * 1.3)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"num_shards": 0}, "--num_shards 0: give at least 1"),
        ({"max_examples_per_split": 0}, "--max_examples_per_split 0: give at least"),
        ({"max_shard_size": 1 << 20, "num_shards": 2}, "give one of them"),
        ({"max_shard_size": 100}, "--max_shard_size_mb: an example of 224 x 224"),
    ],
)
def test_a_cut_that_cannot_be_had_is_refused(asked, said):
    config = tfds.download.DownloadConfig(**asked)
    with pytest.raises(InputError, match=said):
        shards.Cut.from_download_config(config, 224)


def test_huge_splits_get_larger_shards_not_more(monkeypatch):
    monkeypatch.setattr(shards, "MAX_SHARDS", 2)
    cut = shards.cut_shards(recipe_of(Settings()), lambda *names: "name", ALL)
    assert max(map(len, cut.values())) == 2
    assert sum(len(s) for members in cut.values() for s in members) == 4000


def test_little_travels_to_workers(drawn_folders, tmp_path):
    settings = Settings(foregrounds="drawn:100", backgrounds="drawn:100")
    assert len(recipe_of(settings).splits["train"]) == 256_000
    features = Builder(
        config=config_of(drawn_folders), data_dir=str(tmp_path)
    ).info.features
    writer = shards.ShardWriter(
        settings, "", features, "tfrecord", "out", staging.Staging("staging")
    )
    shard = shards.Shard("train", 0, 512, "fgbg-train.tfrecord-00000-of-00500")
    assert len(pickle.dumps(shard)) < 300
    assert len(pickle.dumps(writer)) < 10_000


def test_two_beam_workers_write_the_same_bytes(drawn_folders, local, tmp_path):
    flags = ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]
    builder = Builder(config=config_of(drawn_folders), data_dir=str(tmp_path / "beam"))
    options = download.DownloadConfig(beam_options=PipelineOptions(flags))
    builder.download_and_prepare(download_config=options)
    assert files_of(builder) == files_of(local)
    assert builder.info.splits["cross"].shard_lengths == [3] * 10 + [2]
    folder = builder.data_path.parent
    left = sorted(path.name for path in folder.iterdir())
    assert left == [".building.lock", "1.0.0"]


def test_another_engine_writes_the_same_bytes(drawn_folders, local, tmp_path):
    """As docs/scale.md has Ray and Spark do, but by Python's own pool."""
    builder = Builder(config=config_of(drawn_folders), data_dir=str(tmp_path / "pool"))

    def write_shards(every, writer):
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(shards.write_one, every, itertools.repeat(writer)))

    builder.write_shards = write_shards
    builder.download_and_prepare()
    assert files_of(builder) == files_of(local)


def test_worker_with_other_pictures_is_refused(drawn_folders, tmp_path):
    settings = config_of(drawn_folders).settings
    writer = shards.ShardWriter(
        settings, "another", None, "tfrecord", tmp_path, staging.Staging(tmp_path)
    )
    with pytest.raises(InputError, match="other pictures"):
        writer.write([shards.Shard("train", 0, 1, "name")], print)


def test_bucket_gets_the_same_bytes_and_a_stopped_build_goes_on(
    bucket, drawn_folders, local, monkeypatch
):
    def build():
        builder = Builder(config=config_of(drawn_folders), data_dir=str(bucket))
        builder.download_and_prepare()
        return builder

    composed, kept = [], []
    keep, compose = staging.Staging.keep_shard, Studio.compose

    def keep_five(self, path):
        keep(self, path)
        kept.append(path)
        if len(kept) == 5:
            raise KeyboardInterrupt

    def count(self, composite):
        composed.append(composite)
        return compose(self, composite)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(staging.Staging, "keep_shard", keep_five)
        build()
    with monkeypatch.context() as patch:
        patch.setattr(Studio, "compose", count)
        builder = build()
    assert len(composed) == 48 - sum(len(s) for s in every_shard(builder)[:5])
    assert files_of(builder) == files_of(local)
    assert [path.name for path in (bucket / "fgbg" / "small").iterdir()] == ["1.0.0"]
    build()  # nothing is left to do


def recipe_of(settings):
    return make_recipe(settings, open_sources(settings))


def every_shard(builder):
    cut = shards.cut_shards(builder.builder_config.recipe, lambda *names: "name", ALL)
    return [shard for members in cut.values() for shard in members]
