import resource
from fractions import Fraction

import numpy as np
import pytest

from trainer.errors import UserError
from trainer.predict import __main__ as predict
from trainer.predict.frames import find_frames
from trainer.predict.video import VideoReader, VideoWriter

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
        *("background.png", "background_sureness.png"),
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


@pytest.mark.parametrize("flipped", [False, True])
def test_a_video_that_is_mirrored_is_mirrored(shots, read, flipped):
    """Its display matrix, in the header, is changed as a front camera writes it."""
    folder, _ = shots
    picture = read(folder / "my frames" / "a.png")[:, :110]
    path = folder / "mirror.mp4"
    write_film(path, [picture])
    unit = np.array([1 << 16, 0, 0, 0, 1 << 16], ">i4").tobytes()
    mirror = np.array([-(1 << 16), 0, 0, 0, 1 << 16], ">i4").tobytes()
    content = path.read_bytes()
    place = content.rindex(unit)  # that of the track; the film's comes before it
    changed = mirror if flipped else unit
    path.write_bytes(content[:place] + changed + content[place + len(unit) :])
    ((_, pixels),) = VideoReader(path)
    expected = picture[:, ::-1] if flipped else picture
    assert np.abs(pixels.astype(int) - expected).mean() < 12


def write_film(path, pictures, times=None, start=0, rate=10):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"bf": "0"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, rate)
        for time, picture in zip(times or range(len(pictures)), pictures, strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture))
            frame.pts, frame.time_base = start + time, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def test_a_recording_is_numbered_by_time_from_its_first_picture(shots, read):
    folder, _ = shots
    picture = read(folder / "my frames" / "a.png")[:, :110]
    path = folder / "late.mkv"
    times = [0, 1, 2, 3, 7, 8, 9, 10, 15]  # the camera lost some
    write_film(path, [picture] * len(times), times, start=360_000)  # at ten hours
    frames = list(find_frames([path]))
    assert [frame.name for frame in frames] == [f"{time:06d}" for time in times]
    reader = VideoReader(path)
    seconds = [float(frame.time * reader.time_base) for frame in frames]
    assert seconds == pytest.approx([time / 10 for time in times], abs=2e-3)


def test_a_broken_piece_of_a_film_does_not_end_it(film, models, capfd, names):
    folder, _ = film
    path = folder / "film.mp4"
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    place, size = packets[6]
    content[place : place + size] = bytes(size)
    path.write_bytes(content)
    status = predict.main(
        [
            *(f"--model={models / 'any'}", f"--out={folder / 'out'}"),
            *("--write=mask,overlay", str(path)),
        ]
    )
    assert status == 1
    lines = capfd.readouterr().err.splitlines()
    assert lines[-1].startswith("error: 1 frames could not be read, and ")
    assert any(f"{path}: cannot be read after " in line for line in lines)
    masks = [name for name in names(folder / "out") if name.startswith("mask")]
    assert len(masks) >= 5
    assert len(list(VideoReader(folder / "out" / "overlay.mp4"))) == len(masks)


def test_what_was_stopped_is_closed_whole(film, names):
    folder, _ = film
    calls = []

    def stopped(frame):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return (np.ones((*frame.pixels.shape[:2], 1), np.float32),) * 2

    frames = find_frames([folder / "film.mp4"])
    size = frames.sample(1)[0].shape[:2]
    with pytest.raises(KeyboardInterrupt):
        predict.predict_frames(stopped, size, frames, folder / "out")
    assert names(folder / "out") == sorted(
        [
            "depth_view.mp4",
            "objects.jsonl",
            "overlay.mp4",
            "timeline.png",
            *(f"{kind}/{i:06d}.png" for kind in ("depth", "mask") for i in range(3)),
        ]
    )
    for kind in ("depth_view", "overlay"):
        assert len(list(VideoReader(folder / "out" / f"{kind}.mp4"))) == 3
    assert len((folder / "out" / "objects.jsonl").read_text().splitlines()) == 3


def test_what_found_room_on_a_full_disk_can_be_played(tmp_path):
    """Files may grow to 2 MB only."""
    rng = np.random.default_rng(0)
    path = tmp_path / "film.mp4"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, before[1]))
    try:
        with (
            pytest.raises(UserError, match=r"cannot write .*film\.mp4: File too large"),
            VideoWriter(path, Fraction(10), Fraction(1, 10)) as writer,
        ):
            for time in range(1000):
                writer.add(rng.integers(0, 256, (96, 128, 3), np.uint8), time)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [file.name for file in tmp_path.iterdir()] == ["film.mp4"]
    assert len(list(VideoReader(path))) > 50


@pytest.mark.parametrize(("turned", "aspect"), [(0, "4/3"), (90, "3/4")])
def test_the_shape_of_pixels_is_kept(tmp_path, models, turned, aspect):
    path, scene = tmp_path / "wide.mp4", np.full((48, 64, 3), 90, np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        stream.set_display_rotation(turned)
        for _ in range(4):
            frame = av.VideoFrame.from_ndarray(scene, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert VideoReader(path).pixel_aspect == Fraction(aspect)
    flags = (f"--model={models / 'any'}", f"--out={tmp_path / 'out'}")
    assert predict.main([*flags, "--write=overlay", str(path)]) == 0
    overlay = VideoReader(tmp_path / "out" / "overlay.mp4")
    assert overlay.pixel_aspect == Fraction(aspect)
