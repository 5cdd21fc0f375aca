"""The data set `fgbg`, as TFDS sees it; `writing` makes its files."""

from __future__ import annotations

import dataclasses
import functools
import re
import sys
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import tensorflow_datasets as tfds
from absl import logging

from fgbg_tfds import config_file, storage, writing
from fgbg_tfds.compose import SPLITS, Recipe
from fgbg_tfds.errors import InputError, exit_on_input_error, is_tfds_command
from fgbg_tfds.settings import Settings
from fgbg_tfds.writing import shards, staging, workers

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)

if is_tfds_command():  # which loads this module before it parses the config
    with exit_on_input_error():
        config_file.check_arguments(sys.argv)


class FgbgConfig(tfds.core.BuilderConfig):
    """A config of the data set: its name, its settings and TFDS's own fields.

    Args:
      name: The config's name, under which its data is found.
      **fields: Fields of `Settings` and of `tfds.core.BuilderConfig`.

    Attributes:
      settings: The checked `Settings`.
      sources: The `Sources` of its pictures.

    Raises:
      InputError: If a field is unknown or cannot be used.
    """

    def __init__(self, name: str = "", **fields):
        with exit_on_input_error():
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise InputError(
                    f"name: {name!r}; give the config a name of letters, digits, '_', "
                    "'.' and '-'"
                )
            known = {
                field.name for field in dataclasses.fields(tfds.core.BuilderConfig)
            }
            base = {field: fields.pop(field) for field in known & set(fields)}
            self.settings = Settings.from_json(fields)
            self.sources = writing.open_sources(self.settings)
            description = writing.describe_config(self.settings, self.sources)
        base.setdefault("description", description)
        super().__init__(name=name, **base)

    @functools.cached_property
    def recipe(self) -> Recipe:
        """The list of all composites, from the pictures' names alone.

        Its splits hold only if no two pictures are equal; those of a studio's recipe
        always do.
        """
        return writing.make_recipe(self.settings, self.sources)


class Builder(tfds.core.ShardBasedBuilder):
    """Every foreground on every background, with mask and depth; see README.md.

    Attributes:
      write_shards: A function that has another engine write the shards, called with
        all of them and their `ShardWriter`; docs/scale.md has two. None if this
        process or Beam writes them.
    """

    name = "fgbg"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}
    BUILDER_CONFIGS = [FgbgConfig(name="sample")]
    write_shards: (
        Callable[[Sequence[shards.Shard], shards.ShardWriter], object] | None
    ) = None

    def __init__(self, *, config=None, **kwargs):
        """Makes a builder.

        Args:
          config: A config, the name of one, or the path of a JSON file with its fields.
          **kwargs: As in TFDS.

        Raises:
          InputError: If the config cannot be used.
        """
        with exit_on_input_error():
            super().__init__(config=_find_config(config), **kwargs)

    def _info(self) -> tfds.core.DatasetInfo:
        with exit_on_input_error():
            recipe = self.builder_config.recipe
        side = self.builder_config.settings.image_size
        photo = functools.partial(
            tfds.features.Image, shape=(side, side, 3), encoding_format="jpeg"
        )
        grey = functools.partial(
            tfds.features.Image, shape=(side, side, 1), encoding_format="png"
        )
        features = {
            "bg": photo(doc="The empty scene."),
            "fgbg": photo(doc="The same scene with the foreground."),
            "mask": grey(doc="Alpha of the foreground; >= 128 is foreground."),
            "depth": grey(
                dtype=np.uint16, doc="Depth of fgbg in 1/256 metre; 0 is unknown."
            ),
            "bbox": tfds.features.BBoxFeature(doc="Box of mask >= 128."),
            "foreground": tfds.features.ClassLabel(names=recipe.foregrounds),
            "background": tfds.features.ClassLabel(names=recipe.backgrounds),
            "placement": tfds.features.Scalar(
                np.int32, doc="Which of the places of this pair, from 0."
            ),
            "flipped": tfds.features.Scalar(np.bool_, doc="Mirrored left to right."),
        }
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features),
            metadata=tfds.core.MetadataDict(),
        )

    def download_and_prepare(self, *, download_config=None, **kwargs) -> None:
        """Builds the data set, or goes on with a build that was stopped.

        Args:
          download_config: As in TFDS.
          **kwargs: As in TFDS.

        Raises:
          InputError: If pictures or settings cannot be used, or data of other
            pictures or settings stands under this config's name.
        """
        config = download_config or tfds.download.DownloadConfig()
        folder = self.data_path.parent
        settings = self.builder_config.settings
        overwrite = config.download_mode.overwrite_dataset
        with exit_on_input_error():
            cut = shards.Cut.from_download_config(config, settings.image_size)
            if self.data_path.exists() and not overwrite:
                self._refuse_other_data()
                self._compare_cuts(cut)
                staging.remove_leftovers(folder)
                super().download_and_prepare(download_config=config, **kwargs)
                return
            studio = writing.open_studio(settings)
            writing.refuse_vanishing(studio)
            writing.warn_of_enlargement(studio)
            card = studio.teacher.card if studio.teacher else None
            self.info.metadata.clear()
            self.info.metadata.update(
                writing.build_metadata(
                    settings, studio.recipe, card, studio.fingerprint
                )
            )
            needed = staging.estimate_bytes(
                studio.recipe, settings.image_size, cut.max_examples
            )
            staging.require_space(folder, needed)
            with storage.report_disk_errors(folder), staging.BuildLock(folder):
                self._staging = staging.open_staging(
                    folder,
                    f"{studio.fingerprint[:16]}.{cut.name}",
                    writing.describe_origin(settings),
                    overwrite,
                )
                super().download_and_prepare(download_config=config, **kwargs)
                staging.close_staging(folder)

    def _download_and_prepare(self, dl_manager, download_config=None) -> None:
        """Writes all files into the folder that TFDS renames when they are there."""
        del dl_manager  # nothing is downloaded
        config = download_config or tfds.download.DownloadConfig()
        names = {
            split: self._get_filename_template(split_name=split) for split in SPLITS
        }
        settings = self.builder_config.settings
        cut = shards.cut_shards(
            writing.open_studio(settings).recipe,
            lambda split, index, count: (
                names[split].sharded_filepath(shard_index=index, num_shards=count).name
            ),
            shards.Cut.from_download_config(config, settings.image_size),
        )
        writer = shards.ShardWriter(
            settings,
            self.info.metadata["fingerprint"],
            self.info.features,
            self.info.file_format,
            self.data_path,
            self._staging,
        )
        every = [shard for members in cut.values() for shard in members]
        runner, options = config.beam_runner, config.beam_options
        if self.write_shards:
            with workers.show_progress(every, writer):
                self.write_shards(every, writer)
        elif runner or options:
            workers.write_with_beam(every, writer, runner, options)
        else:
            shards.write_locally(every, writer)
        infos = [
            tfds.core.SplitInfo(
                name=split,
                shard_lengths=[len(shard) for shard in members],
                num_bytes=shards.count_bytes(self.data_path, members),
                filename_template=names[split],
            )
            for split, members in cut.items()
        ]
        self.info.set_splits(tfds.core.SplitDict(infos))
        drawn = self.builder_config.sources.is_drawn
        writing.write_croissant(self.info, self.data_path, drawn)
        writing.write_card(self.info, self.data_path, drawn)

    def _shard_iterators_per_split(self, dl_manager):
        raise NotImplementedError("all shards are written by _download_and_prepare")

    def _refuse_other_data(self) -> None:
        """Refuses data of other pictures or settings than asked for."""
        settings = self.builder_config.settings
        built = self.info.metadata.get("fingerprint")
        versions = self.info.metadata.get("versions")
        asked = writing.compute_fingerprint(settings, versions=versions)
        if built == asked:
            return
        if versions and versions != writing.get_versions():
            logging.warning(
                "%s: built with %s; pictures may be read to other bits with %s, so "
                "that they cannot be compared; --overwrite builds it anew",
                *(self.data_path, _format(versions), _format(writing.get_versions())),
            )
            return
        raise InputError(
            f"{self.info.full_name}: what is built at {self.data_path} was made "
            f"from other pictures or settings (fingerprint {built}, asked for "
            f"{asked}); give the config another name, or build with --overwrite"
        )

    def _compare_cuts(self, asked: shards.Cut) -> None:
        """Compares the built examples and files with those that are asked for.

        `tfds build` refuses where they differ. Others, which only load the data, warn.
        """
        recipe = writing.open_studio(self.builder_config.settings).recipe
        wanted = {
            split: [len(shard) for shard in members]
            for split, members in shards.cut_shards(
                recipe, lambda *names: "", asked
            ).items()
        }
        built = {split: info.shard_lengths for split, info in self.info.splits.items()}
        if _count(built.values()) != _count(wanted.values()):
            differ = f"{_count(built.values())} examples, not {_count(wanted.values())}"
        elif asked.is_chosen and built != wanted:
            files = sum(map(len, built.values())), sum(map(len, wanted.values()))
            differ = f"{files[0]} files, not the {files[1]} that are asked for"
        else:
            return
        message = (
            f"{self.info.full_name}: is built at {self.data_path} with {differ}; build "
            "with --overwrite, or give the config another name"
        )
        if is_tfds_command():
            raise InputError(message)
        logging.warning("%s", message)


def _find_config(config):
    """Finds the config that a name or the path of a JSON file means."""
    if not isinstance(config, str) or config in Builder.builder_configs:
        return config
    if config.endswith(".json"):
        return FgbgConfig(**config_file.read_fields(config))
    if is_tfds_command():
        raise InputError(
            f"config {config!r} is unknown; give a JSON file such as "
            f"configs/streets.json, or one of: {', '.join(Builder.builder_configs)}"
        )
    return config


def _count(splits: Iterable[list[int]]) -> int:
    return sum(map(sum, splits))


def _format(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())
