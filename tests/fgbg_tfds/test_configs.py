"""The configs that come with the project are such that the builder can begin them."""

import json
import pathlib

import pytest

from fgbg_tfds.settings import Settings
from fgbg_tfds.writing import make_recipe, open_sources

ROOT = pathlib.Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "configs").glob("*.json"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_config_is_read(path, monkeypatch):
    """And, where its pictures are, its recipe is made."""
    monkeypatch.chdir(ROOT)
    fields = json.loads(path.read_text())
    assert fields.pop("name")
    settings = Settings.from_json(fields)
    sources = open_sources(settings)
    folders = [
        source
        for source in (settings.foregrounds, settings.backgrounds)
        if not source.startswith("drawn")
    ]
    if all(pathlib.Path(folder).is_dir() for folder in folders):
        assert len(make_recipe(settings, sources)) > 0


def test_there_are_configs():
    assert {"drawn", "full", "original", "rooms", "streets", "wide"} <= {
        path.stem for path in CONFIGS
    }
