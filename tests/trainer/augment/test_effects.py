"""Tests all effects on pictures alike, then each for what it does."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.augment import light, motion, photometric, sensor, weather

EFFECTS = {
    effect.__name__: effect
    for effect in (
        photometric.exposure, photometric.gamma, photometric.white_balance,
        photometric.vignette, sensor.noise, sensor.blur, sensor.jpeg, weather.rain,
        weather.specks, light.light_patches, motion.shake, motion.sway, motion.toss,
        weather.haze, photometric.dusk, photometric.grey, sensor.stream, light.glare,
    )
}  # fmt: skip
SEED = tf.constant([3, 4])


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_is_a_function_of_seed_and_strength(name, scene):
    effect, pictures = EFFECTS[name], scene.frame
    changed = effect(pictures, SEED, tf.constant([0.0, 1.0, 1.0, 1.0])).numpy()
    assert changed.shape == pictures.shape
    assert changed.dtype == np.float32
    assert changed.min() >= 0
    assert changed.max() <= 255
    # Strength 0 leaves a picture as it is; JPEG rounds it to grey levels.
    atol = 0.501 if name == "jpeg" else 0.02
    np.testing.assert_allclose(changed[0], pictures[0], atol=atol)
    differences = np.abs(changed - pictures)[1:].max((1, 2, 3))
    # A picture as small as this may be spared by rain and specks.
    assert (differences > 1).sum() >= 2
    again = effect(pictures, SEED, tf.constant([0.0, 1.0, 1.0, 1.0])).numpy()
    np.testing.assert_array_equal(again, changed)
    other = effect(pictures, tf.constant([3, 5]), tf.constant(1.0)).numpy()
    assert np.abs(other[1:] - changed[1:]).max() > 1


@pytest.mark.parametrize("name", EFFECTS)
def test_every_picture_is_changed_on_its_own(name, scene):
    same = tf.repeat(scene.frame[:1], 3, 0)
    changed = EFFECTS[name](same, SEED, 1.0).numpy()
    assert np.abs(changed[0] - changed[1]).max() > 1
    assert np.abs(changed[1] - changed[2]).max() > 1


def test_exposure_changes_all_colours_alike_and_white_balance_does_not():
    grey = tf.fill([8, 4, 4, 3], 90.0)
    spread = {
        effect: np.ptp(effect(grey, SEED, 1.0).numpy(), -1).max((1, 2))
        for effect in (photometric.exposure, photometric.white_balance)
    }
    assert (spread[photometric.exposure] < 1e-3).all()
    assert (spread[photometric.white_balance] > 1).all()


def test_gamma_keeps_black_and_white():
    ends = tf.constant([0.0, 255.0])[None, :, None, None] * tf.ones([4, 1, 1, 3])
    bent = photometric.gamma(ends, SEED, 1.0).numpy()
    np.testing.assert_allclose(bent, ends, atol=0.2)


def test_vignette_darkens_corners_more_than_the_middle():
    white = tf.fill([8, 33, 33, 3], 200.0)
    dark = photometric.vignette(white, SEED, 1.0).numpy()
    corners = dark[:, [0, 0, -1, -1], [0, -1, 0, -1]].mean((1, 2))
    assert (corners < dark[:, 16, 16].mean(-1)).all()
    assert corners.min() >= 200 * 0.3


def test_noise_is_stronger_in_light_than_in_the_dark():
    levels = tf.constant([20.0, 120.0])[:, None, None, None] * tf.ones([1, 64, 64, 3])
    seeds = [tf.constant([1, number]) for number in range(12)]
    noisy = np.stack([sensor.noise(levels, seed, 1.0) for seed in seeds])
    dark, bright = noisy.std((2, 3, 4)).mean(0)
    assert 1 < dark < bright < 9
    np.testing.assert_allclose(noisy.mean((0, 2, 3, 4)), [20, 120], atol=0.2)


def test_blur_smooths_and_keeps_the_light(scene):
    smooth = sensor.blur(scene.frame, SEED, 1.0).numpy()
    edges = [np.abs(np.diff(p, axis=2)).mean() for p in (smooth, scene.frame)]
    assert edges[0] < 0.95 * edges[1]
    assert smooth.mean() == pytest.approx(scene.frame.numpy().mean(), rel=0.01)


def test_flows_stay_within_what_a_camera_on_a_pole_does():
    pictures = tf.zeros([64, 224, 224, 1])
    down, right = (flow.numpy() for flow in motion.draw_shake_flow(pictures, SEED, 1.0))
    middle = np.stack(
        [down[:, 111:113, 0].mean((1, 2)), right[:, 0, 111:113].mean((1, 2))]
    )
    turned = 112 * (np.sin(np.radians(2)) * 1.03 + 0.03)
    assert 5 < np.abs(middle).max() <= 8 + turned
    assert np.abs(down).max() <= 8 + 112 * (0.031 + 0.036 + 0.001)
    assert np.abs(down).max() > 8


def test_warp_fetches_from_where_the_flow_says(scene):
    ones = tf.ones_like(scene.mask)
    moved = motion.warp(scene.bg, (2 * ones, -3 * ones)).numpy()
    np.testing.assert_allclose(moved[:, :-2, 3:], scene.bg[:, 2:, :-3], atol=1e-3)
    np.testing.assert_allclose(moved[:, -1, 3:], scene.bg[:, -3, :-3], atol=1e-3)
    half = motion.warp(scene.bg, (0 * ones, 0.5 * ones)).numpy()
    expected = (scene.bg[:, :, 1:] + scene.bg[:, :, :-1]) / 2
    np.testing.assert_allclose(half[:, :, :-1], expected, atol=1e-3)


def test_a_cast_shadow_lies_beside_the_object_and_never_on_it(scene):
    ground = tf.fill(scene.frame.shape, 200.0)
    shaded = light.cast_shadow(ground, scene.mask, SEED, 1.0).numpy()
    mask = scene.mask.numpy()
    inside = np.repeat(mask == 1, 3, -1)
    np.testing.assert_array_equal(shaded[inside], 200)
    for picture, there in zip(shaded, mask, strict=True):
        dark = (picture.mean(-1) < 180) & (there[..., 0] < 0.5)
        assert 10 < dark.sum() < 1500
        # It begins at the object's foot.
        foot = np.nonzero(there[..., 0].max(1) > 0.5)[0].max()
        assert dark[foot - 4 : foot + 5].any()
    assert shaded.max() <= 200
    assert shaded.min() >= 200 * (1 - 0.9) - 1e-3


def test_a_low_sun_lays_shadows_far_aside():
    """As on a motorway in the evening; its cars' shadows were taken for new."""
    mask = np.zeros((1, 64, 160, 1), np.float32)
    mask[:, 20:40, 72:88] = 1
    ground, reaches = tf.fill((1, 64, 160, 3), 200.0), []
    for number in range(20):
        seed = tf.constant([number, 1])
        shaded = light.cast_shadow(ground, mask, seed, 1.0, long=True).numpy()
        np.testing.assert_array_equal(shaded[0, 20:40, 72:88], 200)
        columns = np.nonzero((shaded[0, ..., 0] < 180).any(0))[0]
        reaches.append(max(72 - columns.min(), columns.max() - 87) / 20)
        alone = light.cast_shadow(ground, mask, seed, 1.0, long=True, seen=0.0)
        assert alone[0, 20:40, 72:88].numpy().min() < 180
    assert max(reaches) > 2
    assert np.median(reaches) > 1


def test_the_ground_beneath_an_object_is_dark():
    """As under a car, whichever way the long shadow falls; at half the strength too."""
    mask = np.zeros((1, 64, 64, 1), np.float32)
    mask[:, 20:40, 16:48] = 1
    ground, darkest = tf.fill((1, 64, 64, 3), 200.0), []
    for number in range(40):
        shaded = light.cast_shadow(ground, mask, tf.constant([number, 1]), 0.5).numpy()
        darkest.append(shaded[0, 40, 20:44].mean())
        np.testing.assert_array_equal(shaded[0, 20:40, 16:48], 200)
    assert min(darkest) < 200 * 0.6
    assert np.mean(darkest) < 200 * 0.75


def test_haze_takes_contrast_away_most_of_all_high_in_the_picture(scene):
    kept = []
    for number in range(16):
        seed = tf.constant([7, number])
        hazy = weather.haze(scene.bg, seed, 1.0).numpy()
        rows = hazy.std(2).mean((0, 2)) / scene.bg.numpy().std(2).mean((0, 2))
        kept.append([rows[:16].mean(), rows[-16:].mean()])
    high, low = np.mean(kept, 0)
    assert high < 0.5
    assert 0.4 < low < 0.8


def test_dusk_is_dark_and_grey_has_no_colours(scene):
    dark = photometric.dusk(scene.frame, SEED, 1.0).numpy()
    assert dark.mean() < 0.6 * scene.frame.numpy().mean()
    grey = photometric.grey(scene.frame, SEED, 0.3).numpy()
    assert np.ptp(grey, -1).max() < 1e-3
    assert grey.std() > 10


def test_a_stream_blocks_both_pictures_alike(scene):
    """With one seed they are shrunk alike, so that what is empty stays alike."""
    for number in range(4):
        seed = tf.constant([1, number])
        one, other = (sensor.stream(scene.bg, seed, 1.0).numpy() for _ in range(2))
        np.testing.assert_array_equal(one, other)
    assert np.abs(one - scene.bg.numpy()).mean() > 1


def test_wet_ground_mirrors_an_object_below_its_foot_alone(scene):
    pair = scene.mask[:1], tf.ones([1, 64, 80, 3]) * scene.mask[:1]
    ground = tf.fill([1, 64, 80, 3], 100.0)
    red = pair[1] * tf.constant([255.0, 0.0, 0.0])
    wet = light.reflect(ground, red, pair[0], SEED, 1.0).numpy()[0]
    inside = pair[0].numpy()[0, ..., 0] > 0
    np.testing.assert_allclose(wet[inside & (pair[0].numpy()[0, ..., 0] == 1)], 100.0)
    foot = np.flatnonzero(inside.any(1)).max()
    changed = np.abs(wet - 100).max(-1) > 1
    rows = np.flatnonzero(changed.any(1))
    assert rows.min() > foot - 12
    assert (wet[changed][:, 0] > wet[changed][:, 1]).mean() > 0.9
    assert changed[foot + 1].sum() > 3


def test_the_spread_is_where_leaves_are_tossed_and_nowhere_else(scene):
    seed = tf.constant([5, 1])
    spread = motion.measure_spread(scene.bg, seed, 1.0).numpy()
    assert spread.max() > 40
    assert (spread[spread > 0] > motion.CHANGE).mean() > 0.6
    down, right = motion.draw_toss_flow(scene.bg, seed, 0, 1.0)
    far = np.hypot(down, right)
    assert far[spread > 0].mean() > 2 * far[spread == 0].mean()
    assert motion.measure_spread(scene.bg, seed, 0.0).numpy().max() == 0
    moments = [motion.draw_toss_flow(scene.bg, seed, m, 1.0)[0] for m in (0, 1)]
    assert np.abs(moments[0] - moments[1]).max() > 1
