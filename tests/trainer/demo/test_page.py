"""The page, as a program and a person use it: gradio_client, and a real Chromium."""

import contextlib
import io
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
import zipfile
from fractions import Fraction

import numpy as np
import PIL.Image
import pytest

from trainer.predict.__main__ import main as predict
from trainer.predict.video import VideoWriter

gradio_client = pytest.importorskip("gradio_client")
pytest.importorskip("gradio")
handle_file = gradio_client.handle_file

ROOT = pathlib.Path(__file__).parents[3]
EXAMPLES = ROOT / "trainer" / "demo" / "examples"
COMMAND = (sys.executable, "-m", "trainer.demo")
SIZE = 100


class Page:
    """A page in a process of its own."""

    def __init__(self, folder, *flags):
        self.folder = folder
        environment = {**os.environ, "TMPDIR": str(folder), "TF_CPP_MIN_LOG_LEVEL": "3"}
        self.process = subprocess.Popen(
            [*COMMAND, "--port=0", *flags],
            cwd=ROOT,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log = []
        self.address = self.read_until(r"(http://\S+) is up")
        self.read_until("the network is loaded")

    def read_until(self, pattern):
        assert self.process.stderr
        for line in self.process.stderr:
            self.log.append(line)
            if found := re.search(pattern, line):
                return found[found.re.groups]
        raise AssertionError("".join(self.log))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.log += self.process.communicate(timeout=60)[1].splitlines(True)
        return self.process.returncode


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    served = Page(tmp_path_factory.mktemp("page"), "--max_upload_mb=2")
    yield served
    served.process.kill()
    served.process.communicate()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """The drawn examples, small."""
    folder = tmp_path_factory.mktemp("pictures")
    for path in EXAMPLES.glob("*.jpg"):
        with PIL.Image.open(path) as picture:
            small = picture.resize((SIZE, SIZE), PIL.Image.Resampling.BOX)
        small.save(folder / f"{path.stem.removeprefix('street_')}.png")
    return folder


class User:
    """Somebody who uses the page through its interface for programs."""

    def __init__(self, page):
        self.client = gradio_client.Client(
            page.address, verbose=False, download_files=page.folder / "downloads"
        )

    def call(self, name, *arguments):
        files = [
            handle_file(str(each)) if isinstance(each, pathlib.Path) else each
            for each in arguments
        ]
        return self.client.predict(*files, api_name=f"/{name}")

    def look(self, empty, frame, threshold=0.5, area=0.05):
        answer = self.call("look_at_pictures", empty, frame, threshold, area)
        return read_status(answer), answer

    def download(self, threshold=0.5, area=0.05):
        answer = self.call("download", threshold, area)
        return zipfile.ZipFile(answer[0])


def read_status(answer):
    """Reads the one line of an answer that says how things are, and its kind."""
    (line,) = [each for each in answer if str(each).startswith('<div class="line')]
    return strip(line), re.search(r"line (\w+)", line)[1]


def strip(text):
    return re.sub(r"<[^>]*>", " ", text).strip()


def list_objects(archive):
    lines = archive.read("objects.jsonl").decode().splitlines()
    return [json.loads(line)["objects"] for line in lines]


@pytest.fixture
def user(page):
    return User(page)


def test_answers_are_those_of_trainer_predict(user, pictures, tmp_path):
    (status, kind), answer = user.look(pictures / "empty.png", pictures / "cars.png")
    assert kind == "done" and "100 x 100" in status
    archive = user.download()
    out = tmp_path / "seen"
    empty, frame = str(pictures / "empty.png"), str(pictures / "cars.png")
    assert predict([f"--background={empty}", f"--out={out}", frame]) == 0
    for name in (
        "mask/cars.png",
        "depth/cars.png",
        "depth_view/cars.jpg",
        "overlay/cars.jpg",
        "objects.jsonl",
    ):
        assert archive.read(name) == (out / name).read_bytes(), name
    (objects,) = list_objects(archive)
    assert len(objects) == 2
    (table,) = [each for each in answer if "<table" in str(each)]
    for each in objects:
        assert f"{each['distance']:.1f} m" in table
        assert f"{each['area']} px" in table
    depth = PIL.Image.open(io.BytesIO(archive.read("depth/cars.png")))
    assert np.asarray(depth).dtype == np.uint16


def test_sliders_act_on_the_kept_answer(user, pictures):
    user.look(pictures / "empty.png", pictures / "cars.png")
    areas = []
    for threshold in (0.1, 0.9):
        _, mask, table, _ = user.call("redraw", 1, threshold, 0.05)
        with PIL.Image.open(mask) as picture:
            areas.append(int((np.asarray(picture.convert("L")) > 127).sum()))
        assert table.count("<tr>") == 3  # the head, and two cars
        (objects,) = list_objects(user.download(threshold))
        assert sum(each["area"] for each in objects) == areas[-1]
    assert areas[0] > areas[1] > 0
    table = user.call("redraw", 1, 0.5, 3.0)[2]
    assert table.count("<tr>") == 2  # the farther car is smaller than that
    assert "Nothing is new" in user.call("redraw", 1, 0.5, 5)[2]


def test_two_users_do_not_mix(page, pictures):
    users = [User(page), User(page)]
    for user, frame in zip(users, ("cars", "cloud"), strict=True):
        user.look(pictures / "empty.png", pictures / f"{frame}.png")
    numbers = []
    for user, frame in zip(users, ("cars", "cloud"), strict=True):
        archive = user.download()
        assert f"mask/{frame}.png" in archive.namelist()
        numbers += map(len, list_objects(archive))
    assert numbers == [2, 1]


def test_what_is_shown_becomes_the_empty_scene(user, pictures):
    user.look(pictures / "empty.png", pictures / "cars.png")
    answer = user.call("take", 1, pictures / "cars.png", 0.5, 0.05)
    assert read_status(answer)[1] == "done"
    with (
        PIL.Image.open(answer[0]) as taken,
        PIL.Image.open(pictures / "cars.png") as given,
    ):
        assert np.array_equal(np.asarray(taken), np.asarray(given))
    assert answer[1] is None  # the place of the frame is free


def test_video_without_an_empty_scene(user, pictures, tmp_path):
    pytest.importorskip("av")
    frames = [read(pictures / f"{name}.png") for name in ("empty", "cars", "empty")]
    with VideoWriter(tmp_path / "v.mp4", Fraction(5), Fraction(1, 5)) as writer:
        for number in range(6):
            writer.add(frames[number // 2], number)
    answer = user.call("look_at_video", tmp_path / "v.mp4", None, 0.5, 0.05)
    status, kind = read_status(answer)
    assert kind == "done" and status.startswith("6 frames answered"), status
    archive = user.download()
    assert list(map(len, list_objects(archive))) == [0, 0, 2, 2, 0, 0]
    assert "overlay/000002.jpg" in archive.namelist()
    walked = user.call("walk", 3, 0.5, 0.05)
    assert "Frame 3 of 6 at 0.4 s" in " ".join(map(str, walked))
    # The cars' frame as the empty scene: what is new is where they are gone.
    answer = user.call("take", 3, None, 0.5, 0.05)
    assert list(map(len, list_objects(user.download())))[2:4] == [0, 0]


def read(path):
    with PIL.Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


@pytest.mark.parametrize(
    ("empty", "frame", "words"),
    [
        (None, "cars.png", "The empty scene is missing"),
        ("empty.png", None, "The frame is missing"),
        ("text.jpg", "cars.png", "The empty scene text.jpg: not a picture"),
        ("empty.png", "text.jpg", "The frame text.jpg: not a picture"),
        ("empty.png", "wide.png", "wide.png is 120 x 100 and the empty scene"),
    ],
)
def test_a_wrong_picture_is_told_in_one_line(user, pictures, empty, frame, words):
    (pictures / "text.jpg").write_text("no picture")
    PIL.Image.new("RGB", (120, 100)).save(pictures / "wide.png")
    paths = [name and pictures / name for name in (empty, frame)]
    (status, kind), _ = user.look(*paths)
    assert kind == "error" and status.startswith(words), status
    assert "\n" not in status and str(pictures) not in status and "/" not in status


def test_a_wrong_video_is_told_in_one_line(user, tmp_path):
    for name, content in (("text.mp4", "no video"), ("nothing.mp4", "")):
        (tmp_path / name).write_text(content)
        answer = user.call("look_at_video", tmp_path / name, None, 0.5, 0.05)
        status, kind = read_status(answer)
        assert kind == "error" and status.startswith(f"{name} can be read"), status


def test_tiny_pictures_are_answered(user, tmp_path):
    PIL.Image.new("RGB", (1, 1), "grey").save(tmp_path / "dot.png")
    (status, kind), _ = user.look(tmp_path / "dot.png", tmp_path / "dot.png")
    assert (status, kind) == ("Answered, 1 x 1 pixels.", "done")


def test_large_uploads_are_refused(user, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (1000, 1000, 3), np.uint8)
    PIL.Image.fromarray(noise).save(tmp_path / "large.png")
    with pytest.raises(Exception, match=r"413|size|Payload"):
        user.look(tmp_path / "large.png", tmp_path / "large.png")


def test_files_of_the_machine_stay_there(page, pictures):
    file = {"path": str(pictures / "cars.png"), "meta": {"_type": "gradio.FileData"}}
    address = f"{page.address}/gradio_api/call/look_at_pictures"
    request = urllib.request.Request(
        address,
        json.dumps({"data": [file, file, 0.5, 0.05]}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        event = json.load(answer)["event_id"]
    with urllib.request.urlopen(f"{address}/{event}") as answer:
        told = answer.read().decode()
    assert "event: error" in told and "Answered" not in told, told


def test_sliders_before_any_answer(user):
    status, kind = read_status(user.call("redraw", 1, 0.5, 0.05))
    assert kind == "error" and "look again" in status


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if not program:
        pytest.skip("chromium is missing")
    with contextlib.ExitStack() as stack:
        playwright = stack.enter_context(sync_api.sync_playwright())
        chromium = playwright.chromium.launch(
            executable_path=program,
            # A webcam of its own: a spinning disc on green, and nobody to be asked.
            args=[
                "--no-sandbox",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
            ],
        )
        stack.callback(chromium.close)
        yield chromium


@pytest.fixture
def tab(browser, page):
    """The page in Chromium at a phone's width; it asks nobody but its own server."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    tab = context.new_page()
    asked, failures = [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("pageerror", lambda error: failures.append(str(error)))
    tab.goto(page.address)
    yield tab
    assert not failures
    inside = (page.address, "data:", "blob:")
    assert [url for url in asked if not url.startswith(inside)] == []
    context.close()


def upload(tab, name, path):
    tab.locator(f"#{name} input[type=file]").first.set_input_files(str(path))
    tab.locator(f"#{name} img").wait_for()


def test_upload_press_and_read_in_chromium(tab, pictures, page):
    upload(tab, "empty", pictures / "empty.png")
    upload(tab, "frame", pictures / "cars.png")
    tab.locator("#look").click()
    tab.locator("table.objects").wait_for()
    rows = tab.locator("table.objects tbody tr")
    assert rows.count() == 2
    assert re.search(r"\d+\.\d m", rows.first.inner_text())
    for name in ("overlay", "mask", "depth"):
        picture = tab.locator(f"#{name} img")
        picture.wait_for()
        tab.wait_for_function(
            "name => document.querySelector(`#${name} img`).naturalWidth == 100",
            arg=name,
        )
    body = tab.request.get(tab.locator("#overlay img").get_attribute("src")).body()
    overlay = np.asarray(PIL.Image.open(io.BytesIO(body)).convert("RGB")).astype(int)
    given = read(pictures / "cars.png")
    redder = (overlay - given)[..., 0] - (overlay - given)[..., 2] > 40
    assert 0.03 < redder.mean() < 0.2  # the cars and their outlines
    tab.locator("#depth img").click(position={"x": 50, "y": 60})
    tab.locator("#reading b").wait_for()
    assert re.match(r"\d+\.\d m", tab.locator("#reading b").inner_text())
    with tab.expect_download() as download:
        tab.locator("#download").click()
    assert download.value.suggested_filename == "fgbg.zip"
    assert len(list_objects(zipfile.ZipFile(download.value.path()))[0]) == 2
    # On a phone, nothing reaches beyond the screen.
    wide = "document.documentElement.scrollWidth > innerWidth"
    assert not tab.evaluate(wide)


def test_an_example_and_a_mistake_in_chromium(tab, pictures):
    tab.locator("#examples img").nth(1).click()
    tab.locator("table.objects").wait_for()
    assert tab.locator("table.objects tbody tr").count() == 1
    tab.locator("#threshold input[type=number]").fill("0.95")
    tab.locator("#area input[type=number]").fill("5")
    tab.locator("#table .nothing").wait_for()
    (pictures / "text.jpg").write_text("no picture")
    tab.locator("#frame button[aria-label='Remove Image']").click()
    inputs = tab.locator("#frame input[type=file]")
    inputs.first.set_input_files(str(pictures / "text.jpg"))
    tab.locator("#frame img").wait_for(state="attached")
    tab.locator("#look").click()
    tab.locator("#status .error").wait_for()
    assert tab.locator("#status").inner_text().startswith("The frame text.jpg")
    assert tab.locator("#results").count() == 0


def test_the_webcam_in_chromium(tab):
    says = "words => document.querySelector('#status').innerText.includes(words)"
    tab.get_by_role("tab", name="Webcam").click()
    tab.get_by_title("grant webcam access").click()
    tab.locator("#webcam .button-wrap button").first.click()
    tab.wait_for_function(says, arg="Leave the picture")
    assert tab.locator("#mask img").count() == 0
    tab.locator("#take_webcam").click()
    tab.wait_for_function(says, arg="Live.")
    tab.locator("#mask img").wait_for()


def test_a_taken_port_is_told_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*COMMAND, f"--port={port}"], cwd=ROOT, capture_output=True, text=True
        )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and f"--port={port}" in done.stderr


def test_no_gradio_is_told_in_one_line():
    code = (
        "import sys; sys.modules['gradio'] = None; "
        "from trainer.demo.__main__ import main; sys.exit(main(['--port=0']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "pip install" in done.stderr


def test_the_page_ends_and_leaves_nothing(page):
    """The last test, since it ends the page of all."""
    assert any(path.name.startswith("fgbg-demo-") for path in page.folder.iterdir())
    assert page.stop() == 0
    assert [path.name for path in page.folder.glob("fgbg-demo-*")] == []
