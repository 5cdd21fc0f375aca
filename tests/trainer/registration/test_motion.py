import numpy as np
import pytest
import tensorflow as tf

from trainer import registration
from trainer.augment import light

SIDE, MARGIN = 224, 24
MAX_SHIFT, MAX_TURN, MAX_ZOOM = 8.0, np.deg2rad(2.0), 0.03


def scene(rng):
    """A drawn wall: large and small rectangles over a slope of light."""
    side = SIDE + 2 * MARGIN
    rows, columns = np.mgrid[:side, :side] / side
    picture = 0.4 + 0.2 * (rows * rng.normal() + columns * rng.normal())[..., None]
    picture = picture + np.zeros(3)
    for _ in range(60):
        height, width = rng.integers(4, 90, 2)
        top, left = rng.integers(-20, side, 2)
        colour = rng.normal(0, 0.12, 3)
        picture[max(top, 0) : top + height, max(left, 0) : left + width] += colour
    return np.clip(picture, 0.05, 0.95).astype(np.float32)


def warped(picture, motion):
    """A moved camera's picture: its point z is at a z + b in the given one."""
    a, b = motion
    middle = (SIDE - 1) / 2
    corner = np.array([MARGIN + middle + b.real, MARGIN + middle + b.imag])
    matrix = np.array([[a.real, -a.imag], [a.imag, a.real]])
    offset = corner - matrix @ [middle, middle]
    transform = [*matrix[0], offset[0], *matrix[1], offset[1], 0, 0]
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=picture[None], transforms=np.array([transform], np.float32),
        output_shape=[SIDE, SIDE], interpolation="BILINEAR", fill_mode="REFLECT",
        fill_value=0.0,
    )[0].numpy()  # fmt: skip


def draw_motion(rng):
    shift = rng.uniform(-1, 1, 2) * MAX_SHIFT / np.sqrt(2)
    zoom = 1 + rng.uniform(-MAX_ZOOM, MAX_ZOOM)
    turn = rng.uniform(-MAX_TURN, MAX_TURN)
    return zoom * np.exp(1j * turn), complex(*shift)


def errors(found, motions):
    """Mean distance of where pixels were found and where they are, pixels [N]."""
    x, y = np.meshgrid(*[np.linspace(-1, 1, 9)] * 2)
    z, half = x + 1j * y, SIDE / 2
    a, b, c, d = np.asarray(found).T[:, :, None, None]
    results = []
    for index, (turned, shift) in enumerate(motions):
        # The frame is the picture as it stands; the background was seen by a camera
        # whose z lies at turned z + shift, so frame z lies at (z - shift) / turned.
        true = (z * half - shift) / turned
        mine = ((a[index] + 1j * b[index]) * z + c[index] + 1j * d[index]) * half
        results.append(np.abs(mine - true).mean())
    return np.array(results)


@pytest.fixture(scope="module")
def pairs():
    """Backgrounds, frames with an object over a fifth of them, and motions."""
    rng = np.random.default_rng(3)
    backgrounds, frames, motions = [], [], []
    for _ in range(16):
        picture, motion = scene(rng), draw_motion(rng)
        frame = warped(picture, (1 + 0j, 0j))
        top, left = rng.integers(0, SIDE - 100, 2)
        frame[top : top + 100, left : left + 100] = rng.uniform(0, 1, 3)
        gain = rng.uniform(0.8, 1.25) * rng.uniform(0.93, 1.07, 3)
        frame = frame * gain + rng.uniform(-0.05, 0.05)
        noise = rng.normal(0, 0.01, (2, SIDE, SIDE, 3))
        backgrounds.append(np.clip(warped(picture, motion) + noise[0], 0, 1))
        frames.append(np.clip(frame + noise[1], 0, 1))
        motions.append(motion)
    stacked = (np.stack(p).astype(np.float32) for p in (backgrounds, frames))
    return *stacked, motions


def test_a_shaken_camera_is_found_behind_an_object_and_another_exposure(pairs):
    bg, frame, motions = pairs
    still = np.tile([1.0, 0, 0, 0], (len(bg), 1))
    assert np.median(errors(still, motions)) > 3
    found = errors(registration.align(bg, frame), motions)
    assert np.median(found) < 0.15
    assert (found < 0.5).mean() >= 0.9


def test_a_shaken_camera_is_found_under_blots_of_sun_and_too_much_light(pairs):
    bg, frame, motions = pairs
    seed, strength = tf.constant([1, 2]), tf.ones(len(bg))
    bg = light.light_patches(255 * bg, seed, strength) / 255
    frame = light.light_patches(255 * frame, seed + 1, strength) / 255
    frame = tf.clip_by_value(1.8 * frame, 0, 1)
    found = errors(registration.align(bg, frame), motions)
    assert np.median(found) < 0.15
    assert (found < 0.5).mean() >= 0.9


def test_what_is_left_is_the_object(pairs):
    bg, frame, _ = pairs
    registered, inside = registration.Registration()(bg, frame)
    change = np.abs(frame - registered).max(-1)
    assert np.median(change) < 0.03 < np.median(np.abs(frame - bg).max(-1))
    assert 0.9 < np.mean(inside) < 1
    assert set(np.unique(inside)) == {0, 1}


def test_equal_pictures_stay_bit_for_bit(pairs):
    _, frame, _ = pairs
    registered, inside = registration.Registration()(frame, frame)
    np.testing.assert_array_equal(registered, frame)
    assert np.min(inside) == 1


def test_an_object_alone_moves_nothing():
    rng = np.random.default_rng(4)
    bg = np.stack([warped(scene(rng), (1 + 0j, 0j)) for _ in range(4)])
    frame = bg.copy()
    frame[:, 60:160, 40:150] = 0.9
    registered, _ = registration.Registration()(bg, frame)
    np.testing.assert_allclose(registered, bg, atol=1e-5)


def test_pictures_that_say_nothing_of_their_place_are_finite():
    bg = np.full((2, 64, 96, 3), 0.5, np.float32)
    registered, _ = registration.Registration()(bg, np.stack([bg[0] * 0, bg[1] * 2]))
    assert np.isfinite(registered).all()


def test_sizes_that_are_not_known_before_give_the_same(pairs):
    bg, frame = (pictures[:3, :160, :192] for pictures in pairs[:2])
    spec = tf.TensorSpec((None, None, None, 3))
    layer = registration.Registration()
    open_sizes = tf.function(layer.__call__, input_signature=[spec, spec])
    np.testing.assert_allclose(open_sizes(bg, frame)[0], layer(bg, frame)[0], atol=2e-3)


def test_it_learns_nothing_and_lets_no_gradient_through(pairs):
    layer = registration.Registration()
    bg, frame = (tf.Variable(pictures[:1]) for pictures in pairs[:2])
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(bg, frame)[0])
    assert tape.gradient(total, [bg, frame]) == [None, None]
    assert layer.weights == []
    assert layer.compute_dtype == "float32"
