import numpy as np

from fgbg_tfds.depth.embedded.pasting import collect_cutouts, paste_anew


def make_scenes(number=4, side=64):
    """Grey ground that comes nearer from top to bottom."""
    metres = np.linspace(40, 4, side)[:, None] * np.ones(side)
    logs = np.log(np.stack([metres] * number)).astype(np.float16)
    return np.full((number, side, side, 3), 120, np.uint8), logs


def test_cutouts_are_a_function_of_the_random_numbers():
    images, logs = make_scenes()
    real = np.zeros((30, 20, 4), np.uint8)
    cutouts = collect_cutouts([real])
    assert cutouts[-1] is real and len(cutouts) > 100
    first, again = (
        paste_anew(images, logs, cutouts, np.random.default_rng(3)) for _ in range(2)
    )
    for one, two, before in zip(first, again, (images, logs), strict=True):
        np.testing.assert_array_equal(one, two)
        assert one.shape == before.shape and one.dtype == before.dtype
        assert not np.array_equal(one, before)
    np.testing.assert_array_equal(images, 120)  # those given stay as they are


def test_what_is_pasted_is_nearer_than_what_it_hides_and_flat():
    images, logs = make_scenes(24)
    red = np.zeros((40, 30, 4), np.uint8)
    red[..., 0], red[..., 3] = 250, 255
    pasted, depth = paste_anew(images, logs, [red], np.random.default_rng(0))
    changed = depth != logs
    assert np.all(depth[changed] < logs[changed])
    for picture, inside in zip(pasted, changed, strict=True):
        assert 0.01 < inside.mean() < 0.6
        assert np.all(picture[inside][:, 0] > picture[inside][:, 1])
        assert np.all(picture[~inside] == 120)
    values = [
        np.unique(log[inside]).size for log, inside in zip(depth, changed, strict=True)
    ]
    assert set(values) <= {1, 2}  # one or two cut-outs, each at one depth
