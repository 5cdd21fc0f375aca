"""Writes the files of a data set: examples, shards, metadata; and resumes builds."""

from fgbg_tfds.writing import shards, staging, workers
from fgbg_tfds.writing.card import write_card
from fgbg_tfds.writing.croissant import write_croissant
from fgbg_tfds.writing.examples import refuse_vanishing, warn_of_enlargement
from fgbg_tfds.writing.fingerprint import (
    compute_fingerprint,
    describe_origin,
    get_versions,
)
from fgbg_tfds.writing.metadata import build_metadata, describe_config
from fgbg_tfds.writing.recipe import make_recipe, open_sources
from fgbg_tfds.writing.shards import open_studio

__all__ = [
    "build_metadata",
    "compute_fingerprint",
    "describe_config",
    "describe_origin",
    "get_versions",
    "make_recipe",
    "open_sources",
    "open_studio",
    "refuse_vanishing",
    "shards",
    "staging",
    "warn_of_enlargement",
    "workers",
    "write_card",
    "write_croissant",
]
