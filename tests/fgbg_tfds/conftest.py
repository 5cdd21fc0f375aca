"""Folders of pictures to build from, and places that refuse to be written to."""

import contextlib
import pathlib
import signal
import sys

import pytest
from etils import epath
from etils.epath import gpath, register
from PIL import Image

from fgbg_tfds import procedural

sys.path.insert(0, str(pathlib.Path(__file__).parent))
SHARED = pathlib.Path(__file__).parents[2] / ".." / "shared" / "pictures"


@pytest.fixture(scope="session")
def drawn_folders(tmp_path_factory):
    """Folders of four drawn cut-outs and three drawn photos."""
    root = tmp_path_factory.mktemp("drawn")
    (root / "foregrounds").mkdir()
    (root / "backgrounds").mkdir()
    for seed in range(4):
        cutout = Image.fromarray(procedural.draw_vehicle(seed))
        cutout.save(root / "foregrounds" / f"vehicle {seed}.png")
    for seed in range(3):
        photo = Image.fromarray(procedural.draw_street(seed, 96).image)
        photo.save(root / "backgrounds" / f"street_{seed}.jpg", quality=95)
    return root


@pytest.fixture(params=["drawn", "streets_cars", "rooms_people"])
def picture_folder(request, drawn_folders):
    """Each set of pictures in turn, a folder with foregrounds and backgrounds."""
    if request.param == "drawn":
        return drawn_folders
    folder = SHARED / request.param
    if not folder.exists():
        pytest.skip(f"real pictures are not here: shared/pictures/{request.param}")
    return folder


class MemoryBackend(type(gpath.backend_lib.tf_backend)):
    """TensorFlow's files in memory; folders are renamed file by file, as in buckets."""

    def rename(self, path, dst):
        if not self.isdir(path):
            return super().rename(path, dst)
        self.makedirs(dst, exist_ok=True)
        for name in self.listdir(path):
            super().rename(f"{path}/{name}", f"{dst}/{name}")
        self.rmtree(path)
        return None


@pytest.fixture
def bucket(monkeypatch):
    """A folder that is reached as a bucket is: through TensorFlow, in memory."""
    monkeypatch.setattr(gpath, "_URI_PREFIXES", (*gpath._URI_PREFIXES, "ram://"))
    monkeypatch.setattr(gpath, "_URI_SCHEMES", gpath._URI_SCHEMES | {"ram"})
    monkeypatch.setitem(gpath._URI_MAP_ROOT, "ram://", "/ram/")
    backend = MemoryBackend()
    monkeypatch.setattr(gpath.backend_lib, "tf_backend", backend)
    monkeypatch.setitem(gpath._PREFIX_TO_BACKEND, "ram", backend)
    path_class = type(epath.Path())
    monkeypatch.setitem(register._URI_PREFIXES_TO_CLS, "ram://", path_class)
    folder = epath.Path("ram://bucket/data")
    folder.mkdir(parents=True)
    yield folder
    folder.rmtree()


@pytest.fixture
def home(monkeypatch, tmp_path):
    """A home folder, for `~`."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    return folder


@pytest.fixture(params=["a file", "below a file", "refused"])
def refusing_place(request, tmp_path):
    """The path of a folder that nobody, not even root, can write to."""
    if request.param == "refused":
        if not pathlib.Path("/proc/self").is_dir():
            pytest.skip("no /proc here, which refuses files")
        return pathlib.Path("/proc/pictures")
    file = tmp_path / "file"
    file.write_bytes(b"mine")
    return file / "folder" if request.param == "below a file" else file


@pytest.fixture
def ctrl_c():
    """Has Ctrl-C interrupt, even where a shell started the tests in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def full_disk():
    """A function that makes a context in which files cannot grow beyond 4 KiB."""
    resource = pytest.importorskip("resource", reason="Windows has no such limit")

    @contextlib.contextmanager
    def limit():
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limit
