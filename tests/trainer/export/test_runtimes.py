"""Networks in ONNX Runtime and LiteRT, beside the same in TensorFlow."""

import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest

from trainer.errors import UserError
from trainer.export.__main__ import main
from trainer.picture_files import read_picture
from trainer.predict import Predictor
from trainer.predict.__main__ import main as predict
from trainer.shipped import DRAWN, WEIGHTS_FILE

ROOT = pathlib.Path(__file__).parents[3]
SIDE = 96  # the smallest at which the street's cars are found


@pytest.fixture(scope="module")
def street():
    """Empty scene and frame of the page's drawn street, uint8 [150, 150, 3]."""
    pictures = [
        read_picture(DRAWN / f"street_{name}.jpg") for name in ("empty", "cars")
    ]
    return [
        np.asarray(PIL.Image.fromarray(each).resize((150, 150))) for each in pictures
    ]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with the pretrained network for both runtimes."""
    folder = tmp_path_factory.mktemp("runtimes")
    assert main([f"--out={folder / 'network.onnx'}"]) == 0
    small = ["--size", f"{SIDE}x{SIDE + 24}", "--precision=int8"]
    assert main([f"--out={folder / 'small.tflite'}", *small]) == 0
    assert sorted(path.name for path in folder.iterdir()) == [
        "network.onnx",
        "small.tflite",
    ]
    return folder


def test_refine_answers_in_onnx_runtime_as_in_tensorflow(written, street):
    bg, fgbg = street
    carried, own = Predictor(written / "network.onnx"), Predictor(WEIGHTS_FILE)
    for rows, columns in ((150, 150), (128, 96), (149, 131)):
        pair = bg[:rows, :columns], fgbg[:rows, :columns]
        (mask, depth), (expected, metres) = carried(*pair), own(*pair)
        assert mask.shape == depth.shape == (rows, columns, 1)
        np.testing.assert_allclose(mask, expected, atol=2e-3)
        np.testing.assert_allclose(depth, metres, rtol=2e-3)
    assert (expected >= 0.5).any()


def test_refine_answers_in_litert_nearly_as_in_tensorflow(written, street):
    pair = [
        np.asarray(PIL.Image.fromarray(p).resize((SIDE + 24, SIDE))) for p in street
    ]
    carried, own = Predictor(written / "small.tflite"), Predictor(WEIGHTS_FILE)
    (mask, depth), (expected, metres) = carried(*pair), own(*pair)
    new, wanted = mask >= 0.5, expected >= 0.5
    assert wanted.any() and (new & wanted).sum() / (new | wanted).sum() > 0.95
    assert np.abs(depth / metres - 1).mean() < 0.03
    assert (written / "small.tflite").stat().st_size < 4e6
    mask, depth = carried(*street)  # resized to and fro
    assert mask.shape == depth.shape == (150, 150, 1)


def test_trainer_predict_takes_these_files(written, street, tmp_path):
    for name, picture in zip(("empty.png", "frame.png"), street, strict=True):
        PIL.Image.fromarray(picture).save(tmp_path / name)
    for model in ("network.onnx", "small.tflite"):
        out = tmp_path / model
        arguments = [
            *(f"--model={written / model}", f"--background={tmp_path / 'empty.png'}"),
            *(f"--out={out}", "--write=mask", str(tmp_path / "frame.png")),
        ]
        assert predict(arguments) == 0
        (mask,) = (out / "mask").iterdir()
        assert (np.asarray(PIL.Image.open(mask)) >= 128).any()


def test_the_examples_of_the_documentation_run(written, tmp_path):
    """In a process that can import neither TensorFlow nor this project."""
    snippets = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs" / "runtimes.md").read_text(), re.S
    )
    assert len(snippets) == 2
    shutil.copy(written / "network.onnx", tmp_path)
    shutil.copy(written / "small.tflite", tmp_path / "network.tflite")
    shutil.copy(DRAWN / "street_empty.jpg", tmp_path / "empty.jpg")
    shutil.copy(DRAWN / "street_cars.jpg", tmp_path / "frame.jpg")
    alone = (
        "import sys; sys.modules.update(tensorflow=None, keras=None, trainer=None)\n"
    )
    for snippet in snippets:
        done = subprocess.run(
            [sys.executable, "-c", alone + snippet],
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
        )
        share = float(re.match(r"([\d.]+)% of the picture is new", done.stdout)[1])
        assert 1 < share < 30
    new = np.asarray(PIL.Image.open(tmp_path / "new.png"))
    assert new.shape == (400, 400) and 0.01 < new.mean() < 0.3


def test_a_run_is_exported_in_all_formats(trained, command):
    """By the command line, of a network of one size."""
    every = "saved_model,onnx,litert,litert_float16,litert_int8"
    flags = ("--mode=export", f"--formats={every}", "--litert_size=40x56")
    done = subprocess.run(
        command(trained, *flags), cwd=ROOT, check=True, capture_output=True, text=True
    )
    folder = trained / "export" / "1"
    names = ["network.onnx"]
    names += [f"network_40x56{end}.tflite" for end in ("", "_float16", "_int8")]
    assert sorted(path.name for path in folder.glob("network*")) == sorted(names)
    assert not (trained / "export" / "2").exists()
    assert done.stderr.count("beside the network: mask off by") == 4
    rng = np.random.default_rng(0)
    pair = rng.integers(0, 256, (2, 40, 56, 3), np.uint8)
    expected = Predictor(folder)(*pair)
    for name in names:
        mask, depth = Predictor(folder / name)(*pair)
        assert np.abs(mask - expected[0]).max() < 0.05, name
        np.testing.assert_allclose(depth, expected[1], rtol=0.1, err_msg=name)


def test_a_file_that_answers_otherwise_is_refused(street, tmp_path):
    from trainer.export import FORMATS, Signatures, write_runtime_file
    from trainer.pretrained import load_network

    network, size = load_network()
    reference = Signatures(network, size, size).answer

    def answer_darker(bg, fgbg):
        import tensorflow as tf

        picture = tf.cast(fgbg[..., :1], tf.float32)
        return {"mask": picture / 512, "depth": picture + 1}

    for kind in (FORMATS["onnx"], FORMATS["litert"]):
        path = tmp_path / f"network{kind.suffix}"
        path.write_bytes(b"the one before")
        with pytest.raises(UserError, match=f"{kind.name}: .*does not answer as"):
            write_runtime_file(path, answer_darker, kind, (96, 96), reference, [street])
        assert path.read_bytes() == b"the one before"
        assert list(tmp_path.iterdir()) == [path]
        path.unlink()


def test_a_file_that_its_runtime_refuses_is_not_left(street, tmp_path):
    """tf2onnx converts what ONNX has not, too, and says nothing."""
    import tensorflow as tf

    from trainer.export import FORMATS, write_runtime_file

    def answer_by_solving(bg, fgbg):
        light = tf.cast(fgbg[:, :2, :2, 0], tf.float32) + tf.eye(2)
        solved = tf.linalg.solve(light, light)[:, :1, :1, None]
        mask = solved * tf.cast(bg[..., :1], tf.float32)
        return {"mask": mask, "depth": mask}

    path = tmp_path / "network.onnx"
    with pytest.raises(UserError, match=r"onnx: .*its runtime cannot load it"):
        write_runtime_file(
            path,
            answer_by_solving,
            FORMATS["onnx"],
            (0, 0),
            answer_by_solving,
            [street],
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--out=network.pb"], "ends in .onnx or .tflite"),
        (["--out=network.tflite"], "--size=480x640"),
        (["--out=network.tflite", "--size=big"], "--size=big is no size"),
        (["--out=network.onnx", "--size=64"], "leave it out"),
        (["--out=network.onnx", "--precision=int8"], "leave it out"),
        (["--out=network.onnx", "--frame=a.jpg"], "--background is missing"),
        (["--out=network.onnx", "--model=nothing"], "--model=nothing: no run.json"),
        (["--out=nowhere/a.onnx", "--frame=a.jpg", "--background=b.jpg"], "b.jpg"),
    ],
)
def test_mistakes_are_told_in_one_line(arguments, words, capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    error = capfd.readouterr().err.strip()
    assert words in error and "error: " in error and "Traceback" not in error
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_network_is_refused(tmp_path):
    for name in ("junk.onnx", "junk.tflite"):
        (tmp_path / name).write_bytes(b"junk")
        with pytest.raises(UserError, match=f"{name} cannot be loaded"):
            Predictor(tmp_path / name)


def test_formats_are_checked_before_a_training(settings):
    from trainer import checks

    for formats, words in (
        ("saved_model,tensorrt", "there is no tensorrt"),
        ("onnx", "add saved_model"),
    ):
        with pytest.raises(UserError, match=words):
            checks.open_checked(settings(formats=formats), 1)
