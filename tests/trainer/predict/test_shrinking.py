"""Large frames are looked at as smaller pictures, and answered at their own size."""

import json

import numpy as np
import PIL.Image

from trainer.predict import ShrinkingPredictor
from trainer.predict import __main__ as predict


def test_answers_have_the_frame_s_size_and_are_those_of_a_smaller_picture(shots):
    folder, new = shots
    seen = []

    def look(background, frame, spread):
        seen.append((background.shape, frame.shape, spread.shape))
        mask = np.abs(frame.astype(int) - background).max(-1, keepdims=True) > 40
        return mask.astype(np.float32), np.full(mask.shape, 7, np.float32)

    shrinking = ShrinkingPredictor(look, (70, 111), rows=35)
    background = np.asarray(PIL.Image.open(folder / "empty.png"))
    name, there = next(iter(new.items()))
    frame = next((folder / "my frames").glob(f"{name}.*"))
    frame = np.asarray(PIL.Image.open(frame).convert("RGB"))
    spread = np.zeros((70, 111, 1), np.uint8)
    mask, depth = shrinking(background, frame, spread)
    assert seen == [((35, 56, 3), (35, 56, 3), (35, 56, 1))]
    assert mask.shape == depth.shape == (70, 111, 1)
    assert np.mean((mask[..., 0] >= 0.5) != there) < 0.02
    np.testing.assert_allclose(depth, 7)
    shrinking(background[:32, :64], frame[:32, :64], spread[:32, :64])
    assert seen[1][0] == (16, 32, 3)  # windows are shrunk by the same scale


def test_small_frames_are_looked_at_as_they_are():
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 255, (70, 111, 3), dtype=np.uint8)
    shrinking = ShrinkingPredictor(lambda *pictures: pictures, (70, 111))
    seen = shrinking(frame, frame)
    assert seen[0] is frame
    assert seen[2] is None


def test_the_command_tells_its_rows_and_keeps_to_them(shots, models, capsys):
    folder, _ = shots
    flags = [f"--model={models / 'any'}", f"--background={folder / 'empty.png'}"]
    flags += ["--write=mask", f"--out={folder / 'out'}", str(folder / "my frames")]
    assert predict.main([*flags, "--rows=35"]) == 0
    with PIL.Image.open(next((folder / "out" / "mask").iterdir())) as image:
        assert image.size == (111, 70)
    assert json.loads((folder / "out" / "predict.json").read_text())["rows"] == 35
    assert predict.main([*flags, "--rows=70"]) == 1
    assert "has answers of --rows=35" in capsys.readouterr().err
