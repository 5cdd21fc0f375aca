import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from trainer.augment import pasting
from trainer.augment.pasting import Objects, Scene

YES, NO = tf.fill([4], True), tf.fill([4], False)


def make_seeds(number):
    return [tf.constant([7, one]) for one in range(number)]


def box(values, top, left):
    """One object, a square of 10 with a colour, an alpha and metres of its own."""
    alpha = np.zeros((4, 64, 80, 1), np.float32)
    alpha[:, top : top + 10, left : left + 10] = 1
    colour, metres = values
    alpha = tf.constant(alpha)
    return Objects(alpha * tf.constant([colour], tf.float32), alpha, alpha * metres)


def test_cut_out_and_pasted_back_is_the_same_picture(scene):
    objects = pasting.cut_out(scene)
    again = pasting.paste(pasting.remove_new(scene), objects, NO)
    np.testing.assert_allclose(again.mask, scene.mask, atol=1e-6)
    faint = (scene.mask.numpy() > 0) & (scene.mask.numpy() < 0.34)
    same = ~np.repeat(faint, 3, -1)
    np.testing.assert_allclose(
        again.frame.numpy()[same], scene.frame.numpy()[same], atol=0.01
    )
    there = scene.mask.numpy() >= 0.5
    np.testing.assert_allclose(again.depth.numpy()[there], 12.0)


def test_a_cut_out_edge_holds_no_background(scene):
    objects = pasting.cut_out(scene)
    edge = (scene.mask.numpy()[0, ..., 0] > 0.4) & (scene.mask.numpy()[0, ..., 0] < 0.9)
    pure = objects.colour.numpy()[0][edge] / objects.alpha.numpy()[0][edge]
    np.testing.assert_allclose(
        pure, np.broadcast_to(scene.frame[0, 40, 20], pure.shape), atol=0.1
    )


def test_emptied_and_settled_pairs_have_nothing_new(scene):
    for result in (pasting.remove_new(scene), pasting.absorb_new(scene)):
        np.testing.assert_array_equal(result.bg, result.frame)
        assert result.mask.numpy().max() == 0
    was = scene.mask.numpy() > 0.02
    assert (pasting.remove_new(scene).depth.numpy()[was] == 0).all()
    np.testing.assert_array_equal(pasting.absorb_new(scene).depth, scene.depth)


def test_placed_objects_keep_colour_mask_and_depth_together(scene):
    stock = box(((200, 100, 50), 8.0), 20, 30)
    sizes, outside = set(), 0
    for seed in make_seeds(24):
        placed = pasting.place(stock, seed)
        alpha, metres = placed.alpha.numpy(), placed.depth.numpy()
        solid = alpha[..., 0] > 0.99
        colours = placed.colour.numpy()[solid]
        np.testing.assert_allclose(
            colours, np.broadcast_to((200, 100, 50), colours.shape), rtol=0.02
        )
        for one, area in zip(metres, solid.sum((1, 2)), strict=True):
            known = one[one > 0]
            if area:
                # Twice as wide is half as far.
                side = 10 * 8.0 / known[0]
                assert 3 <= side <= 20.01
                sizes.add(round(side))
                outside += known.size < 0.85 * side**2
    assert len(sizes) > 5
    assert outside > 0


def test_objects_close_by_cover_much_and_those_far_away_little(scene):
    stock = box(((200, 100, 50), 8.0), 20, 30)
    covered = {}
    for name in ("CLOSE_BY", "ORDINARY", "FAR_AWAY"):
        bounds = getattr(pasting, name)
        placed = [pasting.place(stock, seed, bounds) for seed in make_seeds(12)]
        covered[name] = np.mean([objects.alpha.numpy().mean() for objects in placed])
        metres = np.concatenate([o.depth.numpy()[o.depth.numpy() > 0] for o in placed])
        # Twice as large is half as far.
        assert (metres < 8).all() if name == "CLOSE_BY" else (metres > 3.9).all()
    assert covered["CLOSE_BY"] > 4 * covered["ORDINARY"]
    assert covered["ORDINARY"] > 4 * covered["FAR_AWAY"] > 0


def test_a_plain_object_has_little_contrast_and_may_be_dark(scene):
    rng = np.random.default_rng(0)
    stock = box(((1, 1, 1), 8.0), 20, 30)
    colour = stock.alpha * tf.constant(rng.uniform(60, 250, (4, 64, 80, 3)), tf.float32)
    stock = dataclasses.replace(stock, colour=colour)
    inside = stock.alpha.numpy()[..., 0] == 1
    light = []
    for seed in make_seeds(8):
        plain = pasting.make_plain(stock, seed)
        for index in range(4):
            before, after = (
                p.numpy()[index][inside[index]].std(0).mean()
                for p in (colour, plain.colour)
            )
            assert after < 0.61 * before
        assert (plain.colour.numpy()[~inside] == 0).all()
        light += [
            p[i].mean() for p, i in zip(plain.colour.numpy(), inside, strict=True)
        ]
    mean = colour.numpy()[inside].mean()
    assert 0.25 < np.mean(np.array(light) < 0.8 * mean) < 0.75


def test_a_pasted_object_is_nearer_than_what_it_hides(scene):
    far = box(((0, 0, 0), 70.0), 30, 40)
    result = pasting.paste(pasting.absorb_new(scene), far, NO)
    there = far.alpha.numpy() > 0
    np.testing.assert_array_equal(result.mask.numpy() > 0, there)
    assert (result.depth.numpy() <= scene.depth.numpy() + 1e-4).all()
    near = pasting.paste(scene, box(((0, 0, 0), 2.0), 30, 40), NO)
    np.testing.assert_allclose(near.depth.numpy()[there], 2.0)
    np.testing.assert_array_equal(
        near.depth.numpy()[~there], scene.depth.numpy()[~there]
    )


def test_an_object_in_both_pictures_is_not_new(scene):
    result = pasting.paste(scene, box(((9, 9, 9), 2.0), 34, 20), NO, present=True)
    there = np.zeros((4, 64, 80), bool)
    there[:, 34:44, 20:30] = True
    np.testing.assert_allclose(result.bg.numpy()[there], 9)
    np.testing.assert_allclose(result.frame.numpy()[there], 9)
    assert (result.mask.numpy()[there] == 0).all()
    np.testing.assert_array_equal(
        result.mask.numpy()[~there], scene.mask.numpy()[~there]
    )


def test_what_is_behind_does_not_show(scene):
    result = pasting.paste(scene, box(((9, 9, 9), 2.0), 34, 20), YES)
    new = scene.mask.numpy()[..., 0] == 1
    np.testing.assert_array_equal(result.frame.numpy()[new], scene.frame.numpy()[new])
    assert (result.mask.numpy() >= scene.mask.numpy()).all()
    assert result.mask.numpy().sum() > scene.mask.numpy().sum() + 40


def test_colours_stay_below_alpha(scene):
    stock = pasting.cut_out(scene)
    for seed in make_seeds(4):
        for changed in (
            pasting.recolour(stock, seed),
            pasting.retexture(stock, scene.bg, seed),
            pasting.blend(stock, scene.bg, seed),
        ):
            assert (changed.colour.numpy() <= 255 * changed.alpha.numpy() + 0.01).all()
            assert changed.colour.numpy().min() >= 0


def test_there_are_several_blends_of_one_placement(scene):
    stock = pasting.cut_out(scene)
    kinds = set()
    for seed in make_seeds(20):
        blended = pasting.blend(stock, scene.bg, seed)
        for alpha, old, colour in zip(
            blended.alpha.numpy(),
            stock.alpha.numpy(),
            blended.colour.numpy(),
            strict=True,
        ):
            if np.isin(alpha, (0, 1)).all():
                kinds.add("hard")
            elif not np.allclose(alpha, old):
                assert (alpha <= old + 1e-6).all()
                kinds.add("feathered")
            elif any(np.allclose(colour, c, atol=0.1) for c in stock.colour.numpy()):
                kinds.add("as it is")
            else:
                kinds.add("matched")
    assert kinds == {"hard", "feathered", "as it is", "matched"}


def test_an_object_that_is_not_there_changes_nothing(scene):
    nothing = Scene(scene.bg, scene.bg, tf.zeros_like(scene.mask), scene.depth)
    objects = pasting.place(pasting.cut_out(nothing), make_seeds(1)[0])
    assert objects.alpha.numpy().max() == 0
    result = pasting.paste(scene, objects, NO)
    for field in dataclasses.fields(Scene):
        old, new = (getattr(s, field.name).numpy() for s in (scene, result))
        np.testing.assert_allclose(new, old, err_msg=field.name)
        assert np.isfinite(new).all()


@pytest.fixture
def unknown(scene):
    return dataclasses.replace(scene, depth=tf.zeros_like(scene.depth))


def test_unknown_depth_stays_unknown(unknown):
    stock = pasting.place(pasting.cut_out(unknown), make_seeds(1)[0])
    result = pasting.paste(unknown, stock, NO)
    assert result.depth.numpy().max() == 0
