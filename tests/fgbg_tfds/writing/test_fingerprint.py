import shutil

from fgbg_tfds.depth import EMBEDDED_WEIGHTS
from fgbg_tfds.settings import Settings
from fgbg_tfds.writing import compute_fingerprint, get_versions


def test_fingerprint_is_of_the_weights_and_of_nothing_beside_them(tmp_path):
    copied = shutil.copy(EMBEDDED_WEIGHTS, tmp_path)
    assert compute_fingerprint(Settings()) == compute_fingerprint(
        Settings(weights=str(copied))
    )


def test_fingerprint_changes_with_whatever_changes_the_bytes(tmp_path):
    other = tmp_path / "other.npz"
    other.write_bytes(b"other weights")
    changes = [
        {},
        {"weights": str(other)},
        {"teacher": "none"},
        {"seed": 1},
        {"scale": (0.2, 0.4)},
        {"labelling": "geometric"},
        {"foregrounds": "drawn:11"},
    ]
    found = {compute_fingerprint(Settings(**change)) for change in changes}
    assert len(found) == len(changes)


def test_fingerprint_is_of_the_pixels_wherever_they_lie(drawn_folders, tmp_path):
    def fingerprint(folder):
        settings = Settings(
            foregrounds=str(folder / "foregrounds"),
            backgrounds=str(folder / "backgrounds"),
        )
        return compute_fingerprint(settings)

    copied = shutil.copytree(drawn_folders, tmp_path / "copied")
    before = fingerprint(drawn_folders)
    assert fingerprint(copied) == before
    shutil.copy(
        copied / "foregrounds" / "vehicle 0.png",
        copied / "foregrounds" / "vehicle 1.png",
    )
    assert fingerprint(copied) != before


def test_fingerprint_is_of_the_versions_of_the_libraries():
    now = get_versions()
    assert set(now) == {"numpy", "pillow", "tensorflow", "tensorflow-datasets"}
    found = {
        compute_fingerprint(Settings(), versions=versions)
        for versions in (now, now | {"pillow": "1.0"}, None)
    }
    assert len(found) == 3
    assert compute_fingerprint(Settings()) in found


def test_home_is_found_in_the_path_of_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    shutil.copy(EMBEDDED_WEIGHTS, tmp_path / "mine.npz")
    assert compute_fingerprint(Settings(weights="~/mine.npz")) == compute_fingerprint(
        Settings()
    )
