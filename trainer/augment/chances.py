"""The names of what can be left out of made pairs, and a pair's chances of each."""

from __future__ import annotations

import tensorflow as tf

from trainer.augment import light, photometric, sensor, weather

# Of an effect, in perturbed pictures, each on its own.
EFFECTS = (
    (light.light_patches, 0.3),
    (weather.rain, 0.06),
    (weather.specks, 0.2),
    (photometric.vignette, 0.4),
    (sensor.blur, 0.5),
    (photometric.exposure, 0.85),
    (photometric.gamma, 0.85),
    (photometric.white_balance, 0.85),
    (sensor.noise, 0.7),
)
# Of what both pictures of a perturbed pair share: the air and the light, and in the end
# the camera.
BEFORE_CAMERA = ((weather.haze, 0.15), (photometric.dusk, 0.15))
OF_CAMERA = ((photometric.grey, 0.12), (sensor.stream, 0.2))
# Those that evaluation does without, so that its figures stay comparable.
WIDE = (
    *(effect.__name__ for effect, _ in (*BEFORE_CAMERA, *OF_CAMERA)),
    *("glare", "toss", "passage", "reflect", "close_by", "far_away", "make_plain"),
    *("hard_shadow", "long_shadow", "lone_shadow"),
)
OMITTABLE = (
    *("empty", "objects", "cast_shadow", "shake", "sway", "jpeg"),
    *(effect.__name__ for effect, _ in EFFECTS),
    *WIDE,
)
NOTHING: frozenset[str] = frozenset()


def draw_amount(strength, seed, probability: float):
    """Gives the strength with a probability, else 0, float32 []."""
    return tf.where(tf.random.stateless_uniform([], seed) < probability, strength, 0.0)
