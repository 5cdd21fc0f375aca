import numpy as np
import pytest

from trainer.predict import __main__ as predict
from trainer.predict.frames import find_frames
from trainer.predict.video import VideoReader

av = pytest.importorskip("av", reason="PyAV is not installed")


def iou(mask, there):
    height, width = there.shape
    found = mask[:height, :width] >= 128
    return (found & there).sum() / (found | there).sum()


def test_a_video_gives_a_video_and_masks(film, models, read, names):
    folder, new = film
    status = predict.main(
        [
            *(f"--model={models / 'any'}", f"--out={folder / 'out'}"),
            *("--write=mask,overlay", str(folder / "film.mp4")),
        ]
    )
    assert status == 0
    assert names(folder / "out") == [
        "background.png",
        *(f"mask/{index:06d}.png" for index in range(12)),
        "overlay.mp4",
    ]
    for index, there in enumerate(new):
        assert iou(read(folder / f"out/mask/{index:06d}.png"), there) > 0.9
    given, overlay = (
        VideoReader(folder / name) for name in ("film.mp4", "out/overlay.mp4")
    )
    height, width = new[0].shape
    assert overlay.size == given.size == (height, width + 1)
    pictures = list(overlay)
    assert len(pictures) == 12
    seconds = [[float(t * v.time_base) for t, _ in v] for v in (given, overlay)]
    assert seconds[0] == pytest.approx(seconds[1], abs=1e-3)  # one frame was late
    for (_, pixels), there in zip(pictures, new, strict=True):
        red = pixels[:, :width, 0].astype(int) - pixels[:, :width, 1]
        assert red[there].mean() > 60


def test_a_video_held_on_its_side_is_turned(shots, read):
    folder, _ = shots
    upright = read(folder / "my frames" / "a.png")[:, :110]
    lying = np.ascontiguousarray(np.rot90(upright, -1))
    path = folder / "phone.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.height, stream.width = lying.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.set_display_rotation(90)
        for packets in (
            stream.encode(av.VideoFrame.from_ndarray(lying)),
            stream.encode(),
        ):
            container.mux(packets)
    ((_, pixels),) = VideoReader(path)
    assert pixels.shape == upright.shape
    assert np.abs(pixels.astype(int) - upright).mean() < 12


def test_what_was_stopped_leaves_nothing_half_written(film, names):
    folder, _ = film
    calls = []

    def stopped(background, frame):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return (np.ones((*frame.shape[:2], 1), np.float32),) * 2

    frames = find_frames([folder / "film.mp4"])
    background = frames.sample(1)[0]
    with pytest.raises(KeyboardInterrupt):
        predict.predict_frames(stopped, background, frames, folder / "out")
    assert names(folder / "out") == [
        f"{kind}/{index:06d}.png" for kind in ("depth", "mask") for index in range(3)
    ]
