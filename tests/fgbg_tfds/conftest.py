"""Folders of pictures to build from: real where they are, drawn everywhere."""

import pathlib

import pytest
from PIL import Image

from fgbg_tfds import procedural

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
