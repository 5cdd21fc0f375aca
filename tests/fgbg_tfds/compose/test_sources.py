import numpy as np
import pytest

from fgbg_tfds.compose import Sources


@pytest.mark.parametrize(
    ("foregrounds", "backgrounds", "names"),
    [
        ("drawn:2", "drawn:3", ("vehicle_001", "street_002")),
        ("drawn_cutouts:2", "drawn_scenes:3", ("cutout_001", "scene_002")),
    ],
)
def test_drawn_pictures_are_alike_each_time(foregrounds, backgrounds, names):
    sources = Sources(foregrounds, backgrounds, 64)
    assert sources.is_drawn
    assert (sources.foregrounds_drawn, sources.backgrounds_drawn) == (2, 3)
    assert (sources.foreground_names[-1], sources.background_names[-1]) == names
    cutouts, photos = sources.read_foregrounds(), sources.read_backgrounds()
    assert cutouts[1].pixels.shape[-1] == 4
    assert photos[2].pixels.shape == (64, 64, 3)
    again = Sources(foregrounds, backgrounds, 64).read_backgrounds()
    assert all(
        np.array_equal(one.pixels, other.pixels)
        for one, other in zip(photos, again, strict=True)
    )


def test_scenes_are_not_streets():
    streets, scenes = (
        Sources("drawn:1", name, 64).read_backgrounds()[0].pixels
        for name in ("drawn:1", "drawn_scenes:1")
    )
    assert not np.array_equal(streets, scenes)


def test_what_is_drawn_for_the_other_is_a_folder():
    """Vehicles are no scenes: the name is looked for as a folder."""
    assert Sources("drawn_scenes:3", "drawn:3", 64).foregrounds_drawn == 0
