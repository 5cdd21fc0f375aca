"""The network that comes with the package."""

import json

import numpy as np
import PIL.Image
import pytest

from fgbg_tfds import film
from trainer.predict import __main__ as predict
from trainer.pretrained import load_network
from trainer.shipped import WEIGHTS_FILE


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A folder with the drawn film: empty.png, frames/ and truth/."""
    folder = tmp_path_factory.mktemp("film")
    film.save_film(folder, 12, 224)
    return folder


def test_without_a_model_it_looks_at_a_film(drawn, capsys):
    out = drawn / "out"
    flags = [
        f"--background={drawn / 'empty.png'}",
        f"--out={out}",
        "--write=mask,depth",
    ]
    assert predict.main([*flags, str(drawn / "frames")]) == 0
    both = either = 0
    for path in (drawn / "truth").iterdir():
        new, found = (
            np.asarray(PIL.Image.open(folder / path.name)) >= 128
            for folder in (drawn / "truth", out / "mask")
        )
        both += 2 * (new & found).sum()
        either += new.sum() + found.sum()
    assert both / either > 0.9
    depth = np.asarray(PIL.Image.open(out / "depth" / "000.png")) / 256
    assert np.median(depth[-40:]) < 0.5 * np.median(depth[90:120])
    assert json.loads((out / "predict.json").read_text())["model"]
    assert predict.main([*flags, "--model=pretrained", str(drawn / "frames")]) == 0


def test_it_is_small_and_takes_any_size():
    assert WEIGHTS_FILE.stat().st_size < 6e6
    network, _ = load_network()
    assert (network.multiple, network.spread) == (32, True)


def test_a_damaged_file_of_weights_is_named(drawn, tmp_path, capsys):
    damaged = tmp_path / "damaged.npz"
    damaged.write_bytes(WEIGHTS_FILE.read_bytes()[:10_000])
    assert predict.main([f"--model={damaged}", str(drawn / "frames")]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"error: --model={damaged} cannot be read")
    assert "python -m trainer.pretrained wrote" in error
