import io
import json
import shutil
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from trainer import data, main
from trainer.settings import Settings

# Runs where neither Keras nor this project can be imported.
CLIENT = """
import sys
sys.modules.update(keras=None, trainer=None, fgbg_tfds=None)
import json
import numpy as np
import tensorflow as tf

served = tf.saved_model.load(sys.argv[1]).signatures
given = np.load(sys.argv[2])
answers = served["images"](bg=given["bg"], fgbg=given["fgbg"])
png = [[tf.io.encode_png(p).numpy() for p in given[n]] for n in ("bg", "fgbg")]
coded = served["serving_default"](
    bg_bytes=tf.constant(png[0]), fgbg_bytes=tf.constant(png[1])
)
compact = served["compact"](
    bg_bytes=tf.constant(png[0]), fgbg_bytes=tf.constant(png[1])
)
pictures = {
    f"compact_{name}": [
        tf.io.decode_png(file, dtype=dtype) for file in compact[f"{name}_bytes"]
    ]
    for name, dtype in (("mask", tf.uint8), ("depth", tf.uint16))
}
numbers = ("height", "width", "area", "box")
sizes = {f"compact_{name}": compact[name] for name in numbers}
large = [
    [tf.io.encode_jpeg(tf.cast(tf.image.resize(p, (90, 150)), tf.uint8)).numpy(), small]
    for p, small in zip(
        (given["bg"][0], given["fgbg"][0]), (png[0][1], png[1][1]), strict=True
    )
]
mixed = served["serving_default"](
    bg_bytes=tf.constant(large[0]), fgbg_bytes=tf.constant(large[1])
)
try:
    served["serving_default"](
        bg_bytes=tf.constant([b"junk"]), fgbg_bytes=tf.constant([png[1][0]])
    )
    junk = "nothing"
except tf.errors.InvalidArgumentError:
    junk = "InvalidArgumentError"
np.savez(
    sys.argv[3], mask=answers["mask"], depth=answers["depth"],
    coded_mask=coded["mask"], coded_depth=coded["depth"],
    mixed_mask=mixed["mask"], mixed_depth=mixed["depth"],
    **pictures, **sizes,
)
print(json.dumps({"junk": junk, "dtype": answers["depth"].dtype.name}))
"""


@pytest.fixture(scope="module")
def pairs(data_dir):
    test = data.open_mixture("miniset/sample", data_dir, "test")
    examples = list(test.read_pictures())
    return {name: np.stack([e[name] for e in examples]) for name in examples[0]}


@pytest.fixture(scope="module")
def answers(trained, pairs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("client")
    np.savez(folder / "given.npz", bg=pairs["bg"], fgbg=pairs["fgbg"])
    arguments = [
        str(trained / "export" / "1"),
        folder / "given.npz",
        folder / "out.npz",
    ]
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, *map(str, arguments)],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return dict(np.load(folder / "out.npz")), json.loads(done.stdout.splitlines()[-1])


def test_answers_have_the_promised_shapes_and_units(answers):
    values, notes = answers
    assert values["mask"].shape == values["depth"].shape == (12, 64, 64, 1)
    assert notes["dtype"] == "float32"
    assert 0 <= values["mask"].min() <= values["mask"].max() <= 1
    assert 0 < values["depth"].min() <= values["depth"].max() <= 80.001


def test_encoded_pictures_give_the_same_answers(answers):
    values, _ = answers
    np.testing.assert_allclose(values["coded_mask"], values["mask"], atol=1e-5)
    np.testing.assert_allclose(values["coded_depth"], values["depth"], rtol=1e-4)


def check_compact(values):
    """Compares the picture files of `compact` with the numbers of another signature."""
    mask, depth = values["compact_mask"], values["compact_depth"]
    assert mask.dtype == np.uint8 and depth.dtype == np.uint16
    difference = np.abs(mask - np.rint(255 * values["coded_mask"]))
    assert difference.max() <= 1 and difference.mean() < 0.01
    metres = values["coded_depth"]
    np.testing.assert_allclose(depth / 256, metres, rtol=1 / 256, atol=1 / 256)
    assert (values["compact_height"] == metres.shape[1]).all()
    assert (values["compact_width"] == metres.shape[2]).all()
    assert values["compact_area"].tolist() == (mask >= 128).sum((1, 2, 3)).tolist()
    for picture, box in zip(mask[..., 0] >= 128, values["compact_box"], strict=True):
        left, top, width, height = box
        assert picture[top : top + height, left : left + width].sum() == picture.sum()
        if picture.any():
            places = np.argwhere(picture)
            assert (places.min(0) == (top, left)).all()
            assert (places.max(0) == (top + height - 1, left + width - 1)).all()
        else:
            assert not box.any()


def test_compact_answers_are_the_same_as_picture_files(answers):
    check_compact(answers[0])
    assert answers[0]["compact_area"].any()


def test_pictures_of_several_sizes_go_in_one_batch(answers):
    values, _ = answers
    assert values["mixed_mask"].shape == (2, 64, 64, 1)
    np.testing.assert_allclose(values["mixed_depth"][1], values["depth"][1], rtol=1e-4)


def test_junk_is_an_invalid_argument(answers):
    assert answers[1]["junk"] == "InvalidArgumentError"


def test_what_is_served_is_what_was_reported(answers, pairs, trained):
    """The report's figure, computed again from the served masks."""
    found, there = answers[0]["mask"] >= 0.5, pairs["mask"] >= 128
    iou = (found & there).sum() / (found | there).sum()
    report = json.loads((trained / "metrics.json").read_text())
    assert report["network"]["mask_iou"] == pytest.approx(iou, abs=1e-6)
    known = pairs["depth"] > 0
    true = pairs["depth"][known] / 256
    relative = (np.abs(answers[0]["depth"][known] - true) / true).mean()
    assert report["network"]["depth_abs_rel"] == pytest.approx(relative, rel=1e-4)


ANY_SIZE = """
import sys
sys.modules.update(keras=None, trainer=None, fgbg_tfds=None)
import numpy as np
import tensorflow as tf

served = tf.saved_model.load(sys.argv[1]).signatures
given = np.load(sys.argv[2])
found = {}
for name in ("own", "odd"):
    bg, fgbg = given[name]
    answers = served["images"](bg=bg, fgbg=fgbg)
    found |= {f"{name}_{key}": value for key, value in answers.items()}
    png = [[tf.io.encode_png(p).numpy() for p in pictures] for pictures in (bg, fgbg)]
    coded = served["serving_default"](
        bg_bytes=tf.constant(png[0]), fgbg_bytes=tf.constant(png[1])
    )
    found |= {f"{name}_coded_{key}": value for key, value in coded.items()}
    compact = served["compact"](
        bg_bytes=tf.constant(png[0]), fgbg_bytes=tf.constant(png[1])
    )
    for key, dtype in (("mask", tf.uint8), ("depth", tf.uint16)):
        found[f"{name}_compact_{key}"] = [
            tf.io.decode_png(file, dtype=dtype) for file in compact[f"{key}_bytes"]
        ]
    for key in ("height", "width", "area", "box"):
        found[f"{name}_compact_{key}"] = compact[key]
    for spread in (0, 120):
        varied = np.full((*bg.shape[:3], 1), spread, np.uint8)
        given_too = served["images_with_spread"](bg=bg, fgbg=fgbg, spread=varied)
        found |= {f"{name}_{spread}_{key}": v for key, v in given_too.items()}
np.savez(sys.argv[3], **found)
"""


def test_refine_is_served_whole_and_answers_at_the_pictures_own_size(
    refined, pairs, tmp_path
):
    own = np.stack([pairs["bg"], pairs["fgbg"]])
    odd = np.tile(own[:, :2], (1, 1, 2, 2, 1))[:, :, :90, :107]
    np.savez(tmp_path / "given.npz", own=own, odd=odd)
    paths = (refined / "export" / "1", tmp_path / "given.npz", tmp_path / "out.npz")
    subprocess.run(
        [sys.executable, "-c", ANY_SIZE, *map(str, paths)], cwd=tmp_path, check=True
    )
    found = np.load(tmp_path / "out.npz")
    assert found["own_mask"].shape == found["own_depth"].shape == (12, 64, 64, 1)
    assert found["odd_mask"].shape == found["odd_depth"].shape == (2, 90, 107, 1)
    for name in ("own", "odd"):
        assert 0 <= found[f"{name}_mask"].min() <= found[f"{name}_mask"].max() <= 1
        assert 0 < found[f"{name}_depth"].min() <= found[f"{name}_depth"].max() <= 81
        for key in ("mask", "depth"):
            np.testing.assert_allclose(
                found[f"{name}_coded_{key}"], found[f"{name}_{key}"], rtol=1e-4
            )
            np.testing.assert_allclose(
                found[f"{name}_0_{key}"], found[f"{name}_{key}"], rtol=1e-4
            )
            assert not np.allclose(found[f"{name}_120_{key}"], found[f"{name}_{key}"])
        own_names = {key.removeprefix(f"{name}_"): found[key] for key in found}
        check_compact(own_names)
    notes = (refined / "export" / "1" / "README.md").read_text("utf-8")
    assert "images_with_spread" in notes
    report = json.loads((refined / "metrics.json").read_text())
    new, there = found["own_mask"] >= 0.5, pairs["mask"] >= 128
    iou = (new & there).sum() / (new | there).sum()
    assert report["network"]["mask_iou"] == pytest.approx(iou, abs=2e-3)


EMPTY = """
import sys
sys.modules.update(keras=None, trainer=None, fgbg_tfds=None)
import numpy as np
import tensorflow as tf

served = tf.saved_model.load(sys.argv[1]).signatures
none = tf.zeros([0, 64, 96, 3], tf.uint8)
words = tf.zeros([0], tf.string)
for answers in (
    served["images"](bg=none, fgbg=none),
    served["serving_default"](bg_bytes=words, fgbg_bytes=words),
    served["compact"](bg_bytes=words, fgbg_bytes=words),
):
    print(*(f"{name} {tuple(v.shape)}" for name, v in sorted(answers.items())))
for ask in (
    lambda: served["images"](bg=none, fgbg=tf.zeros([2, 64, 96, 3], tf.uint8)),
    lambda: served["serving_default"](bg_bytes=words, fgbg_bytes=tf.constant([b""])),
    lambda: served["compact"](bg_bytes=words, fgbg_bytes=tf.constant([b""])),
):
    try:
        ask()
    except tf.errors.InvalidArgumentError as error:
        print("as many backgrounds as composites" in error.message)
"""


@pytest.mark.parametrize(
    ("network", "sizes"),
    [
        ("trained", ("(0, 64, 64, 1)",) * 2),
        ("refined", ("(0, 64, 96, 1)", "(0, 1, 1, 1)")),
    ],
)
def test_no_pairs_have_no_answers(request, tmp_path, network, sizes):
    folder = request.getfixturevalue(network) / "export" / "1"
    done = subprocess.run(
        [sys.executable, "-c", EMPTY, str(folder)],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    expected = [f"depth {size} mask {size}" for size in sizes]
    expected.append(
        "area (0,) box (0, 4) depth_bytes (0,) height (0,) mask_bytes (0,) width (0,)"
    )
    assert done.stdout.splitlines() == [*expected, *["True"] * 3]


def test_pictures_held_sideways_are_turned(trained, pairs):
    served = tf.saved_model.load(str(trained / "export" / "1")).signatures
    upright, sideways = [], []
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    for name in ("bg", "fgbg"):
        pixels = pairs[name][0][:, :40]
        for pictures, stored, options in (
            (upright, pixels, {}),
            (sideways, np.rot90(pixels), {"exif": exif}),
        ):
            memory = io.BytesIO()
            PIL.Image.fromarray(stored).save(memory, "PNG", **options)
            pictures.append(memory.getvalue())
    answers = [
        served["serving_default"](
            bg_bytes=tf.constant([bg]), fgbg_bytes=tf.constant([fgbg])
        )
        for bg, fgbg in (upright, sideways)
    ]
    for name in ("mask", "depth"):
        np.testing.assert_array_equal(answers[0][name], answers[1][name])


def test_a_version_is_never_written_over(trained, tmp_path, caplog):
    caplog.set_level("INFO", logger="trainer")
    workdir = shutil.copytree(trained, tmp_path / "run")
    fields = json.loads((workdir / "run.json").read_text())["settings"]
    changes = {"workdir": str(workdir), "mode": "export", "deterministic": False}
    chosen = Settings(**fields | changes)
    first = workdir / "export" / "1"
    written = (first / "saved_model.pb").stat()
    (workdir / "export" / "2.part").mkdir()  # of an export that was killed
    main.run(chosen)
    assert f"{first} has these weights already" in caplog.text
    # Other weights: those of the checkpoint before.
    for path in (workdir / "checkpoints").glob("ckpt-6*"):
        path.unlink()
    state = workdir / "checkpoints" / "checkpoint"
    state.write_text(state.read_text().replace("ckpt-6", "ckpt-4"))
    main.run(chosen)
    assert (first / "saved_model.pb").stat() == written
    assert sorted(path.name for path in (workdir / "export").iterdir()) == [
        *(".lock", "1", "2")
    ]
    described = json.loads((first.parent / "2/assets.extra/export.json").read_text())
    assert described["step"] == 4 and described["dataset"] == "miniset/sample/1.0.0"
    assert "EXIF orientation" in (first / "README.md").read_text("utf-8")
