"""A live camera: a stream that this machine serves."""

import contextlib
import json
import re
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import PIL.Image
import pytest

pytest.importorskip("av")

from streams import serve

from trainer.errors import UserError
from trainer.predict import __main__ as predict
from trainer.predict import find_frames
from trainer.predict.live import LiveFrames, hide_password
from trainer.predict.video import VideoReader

HEIGHT, WIDTH = 96, 128
EMPTY = np.full((HEIGHT, WIDTH, 3), 70, np.uint8)


def draw(left):
    """The scene with a bright square."""
    frame = EMPTY.copy()
    frame[30:60, left : left + 30] = 235
    return frame


@pytest.fixture
def ask(tmp_path, models):
    """A function of an address and flags: the command's status; answers are in out."""
    PIL.Image.fromarray(EMPTY).save(tmp_path / "empty.png")

    def run(address, *flags, background="empty.png"):
        given = [f"--background={tmp_path / background}"] if background else []
        return predict.main(
            [
                *(f"--model={models / 'any'}", f"--out={tmp_path / 'out'}", *given),
                *("--patience=2", *flags, address),
            ]
        )

    return run


def limit(views, shots):
    """A camera that shows its frames to the first few viewers, and then none."""
    seen = []

    def film():
        seen.append(1)
        yield from shots if len(seen) <= views else ()

    return film


def read_lines(folder):
    text = (folder / "objects.jsonl").read_text()
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def test_frames_that_come_too_fast_are_dropped_and_counted():
    levels = range(20, 220, 4)
    stay = threading.Event()

    def film():
        yield from (np.full((HEIGHT, WIDTH, 3), level, np.uint8) for level in levels)
        yield from (np.full((HEIGHT, WIDTH, 3), 250, np.uint8) for _ in range(30))
        stay.wait(20)

    with serve(film) as address:
        frames = LiveFrames(address)
        seen = []
        for frame in frames.read():
            seen.append(float(frame.pixels.mean()))
            deadline = time.monotonic() + 30
            while frames.received < len(levels):  # the camera does not wait for us
                assert time.monotonic() < deadline
            if seen[-1] > 240:
                break
        stay.set()
    assert len(seen) <= 4
    assert frames.dropped >= len(levels) - len(seen)
    assert frames.received >= frames.dropped + len(seen)


def test_a_silent_camera_ends_the_command_and_what_came_is_answered(
    ask, tmp_path, capsys
):
    with serve(limit(3, [draw(8 * n) for n in range(10)])) as address:
        assert ask(address, "--write=objects,overlay") == 1
    said = capsys.readouterr().err
    assert re.search(r"no frame for 2 seconds; what came before is answered", said)
    assert re.search(r"opened again in 1 s", said)
    assert re.search(r"\d+ frames came; \d+ came faster", said)
    lines = read_lines(tmp_path / "out")
    assert lines and all(len(line["objects"]) == 1 for line in lines)
    assert all(line["clock"].startswith("20") for line in lines)
    (film,) = (tmp_path / "out").glob("overlay_*.mp4")
    assert len(list(VideoReader(film))) == len(lines)


def test_ctrl_c_leaves_whole_files(tmp_path, models):
    PIL.Image.fromarray(EMPTY).save(tmp_path / "empty.png")
    stop = threading.Event()

    def film():
        while not stop.is_set():
            yield from (draw(4 * n) for n in range(20))

    said, lines = tmp_path / "said.txt", tmp_path / "out" / "objects.jsonl"
    with serve(film) as address, said.open("w") as heard:
        command = [
            *(sys.executable, "-m", "trainer.predict", f"--model={models / 'any'}"),
            *(f"--background={tmp_path / 'empty.png'}", f"--out={tmp_path / 'out'}"),
            address,
        ]
        with subprocess.Popen(command, stderr=heard) as process:
            while process.poll() is None and not lines.exists():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.1)  # until it has answered
            process.send_signal(signal.SIGINT)
            try:
                process.wait(300)
            finally:
                process.kill()
                stop.set()
    assert process.returncode == 130
    words = said.read_text()
    assert "Traceback" not in words and "what is written is whole" in words
    lines = read_lines(tmp_path / "out")
    (film,) = (tmp_path / "out").glob("overlay_*.mp4")
    shown = len(list(VideoReader(film)))
    assert len(lines) in (shown, shown - 1) and lines  # stopped in between


def test_ctrl_c_is_heard_where_exceptions_are_lost():
    """As where TensorFlow calls Python: the command went on for ever."""
    heard, before = 0, signal.getsignal(signal.SIGINT)  # of a job, it may be ignored
    with serve(limit(9, [EMPTY] * 3000)) as address:
        frames = predict.open_address(address).read()
        with pytest.raises(KeyboardInterrupt):
            for _ in frames:
                heard += 1
                assert heard < 9, "nothing was heard"
                with contextlib.suppress(KeyboardInterrupt):
                    signal.raise_signal(signal.SIGINT)
    assert heard == 1
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_is_heard_by_the_last_frame_that_was_wanted():
    """As while the frames are taken that the scene is found in."""
    with serve(limit(9, [EMPTY] * 3000)) as address:
        frames = predict.open_address(address).read()
        next(frames)
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            frames.close()


def test_a_scene_is_taken_up_after_a_reboot(ask, tmp_path, monkeypatch):
    """The second time, something stands there from the first frame on."""
    monkeypatch.setattr("trainer.predict.live.WARM_UP", 0.2)
    flags = ("--write=objects", "--scene_frames=5")
    # It is opened to see its size, to find the scene, and to answer.
    with serve(limit(3, [EMPTY] * 1500)) as address:
        assert ask(address, *flags, background=None) == 1
        port = address
    first = len(read_lines(tmp_path / "out"))
    record = tmp_path / "out" / "predict.json"
    (timeline,) = (tmp_path / "out").glob("timeline_*.png")
    with serve(limit(2, [draw(40)] * 300)) as address:
        record.write_text(record.read_text().replace(port, address))
        assert ask(address, *flags, background=None) == 1
    lines = read_lines(tmp_path / "out")
    assert len(lines) > first > 0
    assert timeline.exists()  # the second session has its own
    assert len(list((tmp_path / "out").glob("timeline_*.png"))) == 2
    assert not any(line["objects"] for line in lines[:first])
    assert all(len(line["objects"]) == 1 for line in lines[first:])


def test_passwords_are_neither_written_nor_told(ask, tmp_path, capsys):
    assert hide_password("rtsp://me:secret@10.0.0.2:554/a") == "rtsp://10.0.0.2:554/a"

    with serve(limit(2, [EMPTY] * 20)) as address:
        ask(address.replace("//", "//me:secret@"), "--write=objects")
    assert "secret" not in "".join(capsys.readouterr())
    assert "secret" not in (tmp_path / "out" / "predict.json").read_text()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("http://127.0.0.1:9/none", "127.0.0.1:9/none cannot be read"),
        ("rtsp://me:secret@127.0.0.1:9/none", "rtsp://127.0.0.1:9/none cannot be read"),
        ("/dev/video77", "/dev/video77 cannot be read"),
    ],
)
def test_a_camera_that_is_not_there_is_one_line(
    ask, tmp_path, capsys, address, message
):
    assert ask(address) == 1
    said = capsys.readouterr().err
    assert message in said and "secret" not in said
    assert said.count("error:") == 1 and "Traceback" not in said
    assert not (tmp_path / "out" / "predict.json").exists()


def test_a_place_that_is_none_is_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit):
        predict.main([f"--out={tmp_path / 'out'}", "~nosuchuser/film.mp4"])
    assert "~nosuchuser" in capsys.readouterr().err


def test_a_camera_goes_alone(ask, tmp_path, capsys):
    assert ask("http://127.0.0.1:9/none", str(tmp_path)) == 1
    assert "a camera goes alone; 2 places were given" in capsys.readouterr().err


def test_a_stride_and_a_rate_leave_frames_out(film, models, capsys):
    folder, _ = film
    flags = [f"--model={models / 'any'}", "--write=mask", str(folder / "film.mp4")]
    assert predict.main(["--stride=5", f"--out={folder / 'a'}", *flags]) == 0
    names = sorted(path.stem for path in (folder / "a" / "mask").iterdir())
    assert names == ["000000", "000005", "000010"]
    assert predict.main(["--max_fps=5", f"--out={folder / 'b'}", *flags]) == 0
    assert len(list((folder / "b" / "mask").iterdir())) == 6
    assert predict.main([f"--out={folder / 'a'}", *flags]) == 1
    assert "has answers of --stride=5" in capsys.readouterr().err


def test_pictures_have_no_rate_unless_it_is_given(shots, models, capsys):
    folder, _ = shots
    flags = [f"--model={models / 'any'}", f"--out={folder / 'out'}"]
    frames = str(folder / "my frames")
    empty = f"--background={folder / 'empty.png'}"
    assert predict.main([*flags, empty, "--max_fps=5", frames]) == 1
    assert "add --fps=FRAMES_A_SECOND" in capsys.readouterr().err
    assert predict.main([*flags, "--background=running", frames]) == 1
    assert "add --fps=FRAMES_A_SECOND" in capsys.readouterr().err
    assert not (folder / "out" / "predict.json").exists()


def test_a_film_on_a_web_server_is_no_camera(film):
    """It says how long it is; all of its frames are read."""
    import functools
    import http.server

    folder, new = film
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=str(folder)
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/film.mp4"
        frames = predict.open_address(address)
        assert len(list(frames.read())) == len(new)
        server.shutdown()
    assert isinstance(frames, type(find_frames([folder / "film.mp4"])))


def test_a_camera_that_changes_its_size_is_told():
    with serve(limit(2, [EMPTY] * 30)) as address:
        frames = LiveFrames(address)
        frames.size = (HEIGHT, WIDTH + 2)
        with pytest.raises(UserError, match="changes its size from 130 x 96"):
            next(frames.read())
