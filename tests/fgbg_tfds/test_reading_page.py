"""The snippets of docs/reading.md run as they stand there, but on a small data set."""

import importlib.util
import os
import pathlib
import re
import runpy
import subprocess
import sys

import pytest
import tensorflow_datasets as tfds
from tensorflow_datasets.core.utils import file_utils
from tensorflow_datasets.scripts.cli import convert_format_utils

from fgbg_tfds import Builder, FgbgConfig, conversion

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "reading.md"
SNIPPETS = dict(
    re.findall(
        r"^##+ ([^\n]+)\n(?:(?!##)[^\n]*\n)*?```python\n(.*?)^```$",
        PAGE.read_text("utf-8"),
        re.DOTALL | re.MULTILINE,
    )
)
METRES = r"[1-9]\d*\.\d m\n"
# The packages that a snippet imports, and what it prints of pictures of 64 x 64.
EXPECTED = {
    "TensorFlow": ("", rf"\(8, 64, 64, 6\) \(8, 64, 64, 1\) {METRES}"),
    "PyTorch": (
        "torch cv2",
        rf"(\(8, 6, 64, 64\) \(8, 1, 64, 64\) {METRES}){{2}}",
    ),
    "Grain and JAX": (
        "grain jax cv2",
        r"(\(8, 64, 64, 1\) \d+ where it is new\n){2}",
    ),
    "NumPy alone": (
        "cv2",
        rf"vehicle \d\.png \d+\.\d% of the picture\ndepth: \d+\.\d to {METRES}",
    ),
    "pandas": ("pandas pyarrow", rf"(?s).*vehicle \d\.png +8 +0\.5\n.*\d to {METRES}"),
    "Hugging Face's datasets": (
        "datasets pyarrow",
        r"\{'train': 16, .*'cross': \d+\} vehicle \d\.png \(64, 64\)\n"
        + f"I;16 {METRES}",
    ),
    "COCO: boxes and masks": (
        "pycocotools",
        r"(?s).*(\(64, 64, 3\) vehicle \d\.png \[\d+, \d+, \d+, \d+\] \d+\n){2}",
    ),
}
IN_A_PROCESS = ("PyTorch", "Grain and JAX", "NumPy alone")


@pytest.fixture(scope="module")
def data_dir(drawn_folders, tmp_path_factory):
    """Holds the data set in both of TFDS's formats."""
    folder = tmp_path_factory.mktemp("data")
    config = FgbgConfig(
        "small",
        foregrounds=str(drawn_folders / "foregrounds"),
        backgrounds=str(drawn_folders / "backgrounds"),
        labelling="geometric",
        placements=4,
        image_size=64,
    )
    builder = Builder(config=config, data_dir=str(folder))
    builder.download_and_prepare()
    convert_format_utils.convert_dataset(
        None, "array_record", dataset_version_dir=[builder.data_path], num_workers=1
    )
    return folder


@pytest.fixture(scope="module")
def folder(data_dir, tmp_path_factory):
    """Where the commands of the page have written Parquet and COCO's JSON."""
    folder = tmp_path_factory.mktemp("reading")
    if importlib.util.find_spec("pyarrow"):
        conversion.write_parquet(
            "fgbg/small", folder / "fgbg_parquet", data_dir=str(data_dir)
        )
    if importlib.util.find_spec("pycocotools"):
        conversion.write_coco(
            "fgbg/small", folder / "fgbg_coco", data_dir=str(data_dir)
        )
    return folder


def test_the_page_has_these_snippets():
    assert list(SNIPPETS) == list(EXPECTED)


@pytest.mark.parametrize("heading", EXPECTED)
def test_a_snippet_runs(heading, data_dir, folder, tmp_path, monkeypatch, capfd):
    packages, printed = EXPECTED[heading]
    for package in packages.split():
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    code = SNIPPETS[heading].replace("fgbg/sample", "fgbg/small")
    script = tmp_path / "snippet.py"
    monkeypatch.chdir(folder)
    if heading in IN_A_PROCESS:
        code += "\n\nif __name__ == '__main__':\n    import sys\n\n"
        code += "    print('tensorflow' in sys.modules)\n"
        script.write_text(code, "utf-8")
        environment = {**os.environ, "TFDS_DATA_DIR": str(data_dir)}
        done = subprocess.run(
            [sys.executable, str(script)], capture_output=True, text=True,
            env=environment,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        said, loaded = done.stdout.rsplit("\n", 2)[:2]
        assert loaded == "False"  # TensorFlow was not needed
        said += "\n"
    else:
        script.write_text(code, "utf-8")
        monkeypatch.setenv("HF_HOME", str(tmp_path))
        monkeypatch.setattr(file_utils, "_REGISTERED_DATA_DIRS", set())
        tfds.core.add_data_dir(str(data_dir))
        runpy.run_path(str(script), run_name="__main__")
        said = capfd.readouterr().out
    assert re.fullmatch(printed, said), said
