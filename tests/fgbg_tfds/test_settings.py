import shutil

from fgbg_tfds.depth.embedded.weight_file import EMBEDDED
from fgbg_tfds.settings import Settings


def test_fingerprint_is_of_the_weights_and_of_nothing_beside_them(tmp_path):
    copied = shutil.copy(EMBEDDED, tmp_path)
    assert Settings().fingerprint() == Settings(weights=str(copied)).fingerprint()


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
    assert len({Settings(**change).fingerprint() for change in changes}) == len(changes)


def test_fingerprint_is_of_the_pixels_wherever_they_lie(drawn_folders, tmp_path):
    def fingerprint(folder):
        return Settings(
            foregrounds=str(folder / "foregrounds"),
            backgrounds=str(folder / "backgrounds"),
        ).fingerprint()

    copied = shutil.copytree(drawn_folders, tmp_path / "copied")
    before = fingerprint(drawn_folders)
    assert fingerprint(copied) == before
    shutil.copy(
        copied / "foregrounds" / "vehicle 0.png",
        copied / "foregrounds" / "vehicle 1.png",
    )
    assert fingerprint(copied) != before
