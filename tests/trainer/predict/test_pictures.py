import pathlib
import subprocess
import sys

import numpy as np
import PIL.Image

from trainer.predict import __main__ as predict

ROOT = pathlib.Path(__file__).parents[3]


def test_pictures_give_masks_depth_and_views(shots, models, read, names):
    folder, new = shots
    (folder / "my frames" / "notes.txt").write_text("no picture")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "trainer.predict", f"--model={models / 'any'}"),
            *(f"--background={folder / 'empty.png'}", f"--out={folder / 'out'}"),
            str(folder / "my frames"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "my frames: left out 1, not pictures: .txt (1)" in done.stderr
    assert "3/3" in done.stderr
    out = folder / "out"
    pictures = [
        f"{kind}/{name}.{suffix}"
        for kind, suffix in (
            ("depth", "png"), ("depth_view", "jpg"), ("mask", "png"), ("overlay", "jpg")
        )
        for name in "abc"
    ]  # fmt: skip
    assert names(out) == sorted([*pictures, "objects.jsonl", "timeline.png"])
    for name, there in new.items():
        mask, depth = (
            read(out / "mask" / f"{name}.png"),
            read(out / f"depth/{name}.png"),
        )
        assert mask.dtype == np.uint8
        np.testing.assert_array_equal(mask, there * 255)
        assert depth.dtype == np.uint16
        np.testing.assert_array_equal(depth, np.where(there, 5 * 256, 20 * 256))
        overlay = read(out / "overlay" / f"{name}.jpg").astype(int)
        tinted = overlay[..., 0] - overlay[..., 1]
        assert tinted[there].mean() > 60
        assert abs(tinted[:15].mean()) < 10  # far from what is new
        view = read(out / "depth_view" / f"{name}.jpg").astype(int).sum(-1)
        assert view[there].mean() > view[~there].mean() + 100


def test_a_network_of_fixed_size_answers_at_the_frames_size(
    shots, trained, read, names
):
    folder, _ = shots
    status = predict.main(
        [
            f"--model={trained / 'export' / '1'}",
            f"--background={folder / 'empty.png'}",
            f"--out={folder / 'out'}",
            "--write=mask,depth",
            str(folder / "my frames" / "b.bmp"),
        ]
    )
    assert status == 0
    assert names(folder / "out") == ["depth/b.png", "mask/b.png"]
    size = read(folder / "empty.png").shape[:2]
    assert read(folder / "out/mask/b.png").shape == size
    depth = read(folder / "out/depth/b.png") / 256
    assert depth.shape == size
    assert 0 < depth.min() < depth.max() <= 80


def test_a_background_may_have_any_suffix_or_none(shots, models, read):
    folder, new = shots
    (folder / "empty.png").rename(folder / "empty")
    flags = (f"--model={models / 'any'}", f"--background={folder / 'empty'}")
    out = (f"--out={folder / 'out'}", "--write=mask")
    assert predict.main([*flags, *out, str(folder / "my frames")]) == 0
    np.testing.assert_array_equal(read(folder / "out/mask/a.png"), new["a"] * 255)


def test_pictures_are_turned_as_their_exif_says(shots, models, read):
    folder, new = shots
    background, pixels = read(folder / "empty.png"), read(folder / "my frames/a.png")
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # lies on its side: turned clockwise it stands
    for name, picture in (("empty.png", background), ("turned.png", pixels)):
        PIL.Image.fromarray(np.rot90(picture)).save(folder / name, exif=exif)
    status = predict.main(
        [
            *(f"--model={models / 'any'}", f"--background={folder / 'empty.png'}"),
            *(f"--out={folder / 'out'}", "--write=mask"),
            *(str(folder / "turned.png"), str(folder / "my frames" / "b.bmp")),
        ]
    )
    assert status == 0
    for name, there in (("turned", new["a"]), ("b", new["b"])):
        mask = read(folder / f"out/mask/{name}.png")
        np.testing.assert_array_equal(mask, there * 255)


def test_without_a_background_it_is_found_behind_the_frames(shots, models, read):
    folder, new = shots
    status = predict.main(
        [
            *(f"--model={models / 'any'}", f"--out={folder / 'out'}", "--write=mask"),
            str(folder / "my frames"),
        ]
    )
    assert status == 0
    empty = read(folder / "empty.png")
    np.testing.assert_array_equal(read(folder / "out/background.png"), empty)
    for name, there in new.items():
        mask = read(folder / f"out/mask/{name}.png")
        np.testing.assert_array_equal(mask, there * 255)
