import shutil

from fgbg_tfds.depth import EMBEDDED_WEIGHTS
from fgbg_tfds.settings import Settings
from fgbg_tfds.writing import compute_fingerprint


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
