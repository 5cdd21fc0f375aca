"""Configs of data sets: their fields, files and mistakes."""

import json

import pytest
from tfds_command import small, tfds_build

from fgbg_tfds import Builder, FgbgConfig
from fgbg_tfds.errors import InputError


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"placement": 3}, "did you mean 'placements'"),
        ({"teacher": "oracle"}, "teacher: 'oracle' is unknown"),
        ({"teacher": "monodepth2"}, "download"),
        ({"labelling": "guess"}, "labelling: 'guess' is unknown"),
        ({"placements": "many"}, "placements: 'many'"),
        ({"scale": [0.5]}, "scale: "),
        ({"image_size": 8}, "image_size: 8"),
        ({"foregrounds": "nowhere"}, "nowhere: not a folder"),
        ({"name": "a/b"}, "name: 'a/b'"),
        ({"name": 5}, "name: 5"),
        ({"placements": 0}, "placements: 0; at least 1"),
        ({"scale": [0.5, 0.2]}, r"scale: \[0.5, 0.2\]; give the minimum"),
        ({"teacher": "none", "weights": "x"}, "weights: 'x' is for a teacher"),
        ({"teacher": "none", "labelling": "geometric"}, "labelling: 'geometric' is f"),
    ],
)
def test_bad_config_is_refused_by_field(drawn_folders, tmp_path, fields, said):
    with pytest.raises(InputError, match=said):
        config = FgbgConfig(**{**small(drawn_folders), **fields})
        Builder(config=config, data_dir=str(tmp_path)).download_and_prepare()


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('{"name": "e", ', "error: --config: is no JSON: Expecting property name"),
        ("nowhere.json", "error: --config nowhere.json: cannot be read (No such file"),
        ("streets", "error: config 'streets' is unknown; give a JSON file such as"),
    ],
)
def test_bad_config_on_the_command_line_is_one_line(tmp_path, config, said):
    done = tfds_build(config, tmp_path, cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith(said)


def test_a_config_s_file_holds_an_object(tmp_path):
    (tmp_path / "[1].json").write_text("[1]")
    with pytest.raises(InputError, match=r"\[1\]\.json: is no JSON object; write"):
        Builder(config=str(tmp_path / "[1].json"), data_dir=str(tmp_path))


def test_a_config_is_read_from_a_file_of_notepad(drawn_folders, tmp_path, monkeypatch):
    fields = small(drawn_folders, teacher="none")
    content = json.dumps(fields, indent=2).replace("\n", "\r\n")
    (tmp_path / "mine.json").write_text(content, encoding="utf-8-sig")
    monkeypatch.setenv("HOME", str(tmp_path))
    builder = Builder(config="~/mine.json", data_dir=str(tmp_path))
    assert builder.builder_config.name == "small"
    assert builder.builder_config.settings.placements == 3
