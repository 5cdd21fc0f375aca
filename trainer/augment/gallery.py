"""Pictures of every effect, for the documentation."""

from __future__ import annotations

import io

import matplotlib.figure
import numpy as np
import tensorflow as tf

from trainer.augment import light, motion, pasting, photometric, sensor, weather
from trainer.augment.life import make_pairs
from trainer.augment.pasting import Objects, Scene, as_tuple
from trainer.contract import MAX_ALPHA, MAX_DEPTH, PROBABILITY_THRESHOLD

REPETITIONS = 3  # of each effect, with different seeds
CLOSE = ("noise", "blur", "jpeg", "stream", "blend")  # effects to enlarge
ON_PICTURES = {
    "exposure": photometric.exposure,
    "gamma": photometric.gamma,
    "white balance": photometric.white_balance,
    "vignette": photometric.vignette,
    "noise": sensor.noise,
    "blur": sensor.blur,
    "jpeg": sensor.jpeg,
    "rain": weather.rain,
    "specks": weather.specks,
    "light patches": light.light_patches,
    "glare": light.glare,
    "haze": weather.haze,
    "dusk": photometric.dusk,
    "grey": photometric.grey,
    "stream": sensor.stream,
    "shake": motion.shake,
    "sway": motion.sway,
    "toss": motion.toss,
}
ON_BACKGROUNDS = (motion.shake, motion.sway, motion.toss)


def draw_effects(scene: Scene) -> bytes:
    """Draws each effect beside the picture that it was applied to.

    Args:
      scene: At least two pairs; one with an object on the ground is changed, another
        lends its object.

    Returns:
      A JPEG.
    """
    first, second = (
        Scene(*(value[i : i + 1] for value in as_tuple(scene)))
        for i in _choose_pairs(scene)
    )
    rows = {}
    for name, effect in ON_PICTURES.items():
        picture = first.bg if effect in ON_BACKGROUNDS else first.frame
        rows[name] = [picture, *_repeat(lambda s, e=effect, p=picture: e(p, s, 1.0))]
    rows["cast shadow"] = [
        first.frame,
        *_repeat(lambda s: light.cast_shadow(first.frame, first.mask, s, 1.0)),
    ]
    rows["long shadow"] = [
        first.frame,
        *_repeat(lambda s: light.cast_shadow(first.frame, first.mask, s, 1.0, True)),
    ]
    rows["lone shadow"] = [
        first.bg,
        *_repeat(
            lambda s: light.cast_shadow(first.bg, first.mask, s, 1.0, True, seen=0.0)
        ),
    ]
    stock, empty = pasting.cut_out(second), pasting.remove_new(first)
    here = pasting.cut_out(first)
    rows["reflect"] = [
        first.frame,
        *_repeat(lambda s: light.reflect(first.frame, here.colour, here.alpha, s, 1.0)),
    ]
    rows["spread"] = [
        first.bg,
        *_repeat(lambda s: tf.repeat(motion.measure_spread(first.bg, s, 1.0), 3, -1)),
    ]
    rows["passage"] = [
        first.bg,
        *_repeat(lambda s: tf.repeat(motion.draw_passage(first.bg, s), 3, -1)),
    ]

    def paste(objects: Objects, scene: Scene = empty, behind: bool = False):
        return pasting.paste(scene, objects, tf.constant([behind])).frame

    rows["place"] = [
        first.bg, *_repeat(lambda s: paste(pasting.place(stock, s)))
    ]  # fmt: skip
    for name, bounds in (
        ("close by", pasting.CLOSE_BY), ("far away", pasting.FAR_AWAY)
    ):  # fmt: skip
        rows[name] = [
            first.bg,
            *_repeat(lambda s, b=bounds: paste(pasting.place(stock, s, b))),
        ]
    rows["make plain"] = [
        first.frame, *_repeat(lambda s: paste(pasting.make_plain(here, s)))
    ]  # fmt: skip
    rows["recolour"] = [
        first.frame, *_repeat(lambda s: paste(pasting.recolour(here, s)))
    ]  # fmt: skip
    texture = tf.reverse(second.bg, [2])
    painted = _repeat_distinct(lambda s: paste(pasting.retexture(here, texture, s)))
    rows["retexture"] = [first.frame, *painted[:1]]
    blended = _repeat_distinct(lambda s: paste(pasting.blend(here, first.bg, s)))
    rows["blend"] = [first.frame, *blended[:REPETITIONS]]
    rows["hidden"] = [
        first.frame,
        *_repeat(lambda s: paste(pasting.place(stock, s), first, behind=True)),
    ]
    middle = _find_middle(first.mask)
    for name in CLOSE:
        rows[name] = [_close_up(picture, middle) for picture in rows[name]]
    return _draw_rows(rows)


def draw_pairs(scene: Scene, seed: int) -> bytes:
    """Draws finished pairs: background, frame, mask and depth of each.

    Args:
      scene: A group of pairs.
      seed: Seed of the pairs; each group is made twice.

    Returns:
      A JPEG.
    """
    rows = {}
    for time in range(2):
        made = make_pairs(scene, tf.constant([seed, time]))
        for number in range(made.mask.shape[0]):
            near = tf.where(
                made.depth > 0, 255.0 * (1.0 - made.depth / MAX_DEPTH) ** 4, 0.0
            )
            maps = [made.bg, made.frame, made.mask * MAX_ALPHA, near]
            rows[len(rows)] = [value[number : number + 1] for value in maps]
    return _draw_rows(rows, ("background", "frame", "mask", "depth"))


def _choose_pairs(scene: Scene) -> list[int]:
    """Finds the two pairs with the largest objects that stand on the ground."""
    mask = scene.mask.numpy()
    area, side = mask.mean((1, 2, 3)), mask.shape[1]
    foot = (mask.max((2, 3)) * np.arange(side)).max(1) / side
    return np.argsort(-area * ((area < 0.15) & (foot > 0.6) & (foot < 0.95)))[
        :2
    ].tolist()


def _find_middle(mask) -> np.ndarray:
    return (
        np.argwhere(mask[0, ..., 0].numpy() > PROBABILITY_THRESHOLD).mean(0).astype(int)
    )


def _close_up(picture, middle: np.ndarray) -> np.ndarray:
    side = picture.shape[1] // 5
    top, left = np.clip(middle, side, np.array(picture.shape[1:3]) - side)
    return np.asarray(picture)[:, top - side : top + side, left - side : left + side]


def _repeat(effect) -> list:
    return [effect(tf.constant([5, time])) for time in range(REPETITIONS)]


def _repeat_distinct(effect) -> list:
    """Draws results until some differ visibly."""
    results = []
    for time in range(24):
        result = effect(tf.constant([9, time])).numpy()
        if all(np.abs(result - other).max() > 4 for other in results):
            results.append(result)
    return results[1:] + results[:1]


def _draw_rows(rows: dict, titles: tuple[str, ...] = ()) -> bytes:
    """Draws rows of pictures in two columns, each with its name."""
    down = -(-len(rows) // 2)
    across = max(len(pictures) for pictures in rows.values())
    figure = matplotlib.figure.Figure(
        figsize=(2 * across * 1.25, down * 1.28 + 0.2), layout="constrained"
    )
    axes = figure.subplots(down, 2 * across, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for number, (name, pictures) in enumerate(rows.items()):
        left = (number // down) * across
        for place, picture in enumerate(pictures):
            axis = axes[number % down, left + place]
            shown = np.clip(np.asarray(picture[0]), 0, 255).astype(np.uint8)
            axis.imshow(shown if shown.shape[-1] == 3 else shown.repeat(3, -1))
            if titles and number % down == 0:
                axis.set_title(titles[place], fontsize=8)
        if not titles:
            axes[number % down, left].set_title(name, fontsize=8, loc="left")
    memory = io.BytesIO()
    figure.savefig(memory, dpi=110, format="jpeg", pil_kwargs={"quality": 82})
    return memory.getvalue()
