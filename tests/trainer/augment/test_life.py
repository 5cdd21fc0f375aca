import dataclasses
import functools

import numpy as np
import pytest
import tensorflow as tf

from trainer.augment import OMITTABLE, life
from trainer.augment.chances import WIDE
from trainer.augment.pasting import Scene, as_tuple
from trainer.augment.window import cut_windows

ONE = tf.constant([1, 2])


def compiled(function):
    """In one graph, as in the pipeline: quicker by far where it is called often."""
    made = tf.function(
        lambda arrays, seed: as_tuple(function(Scene(*arrays), seed)), autograph=False
    )
    return lambda scene, seed: Scene(*(v.numpy() for v in made(as_tuple(scene), seed)))


@pytest.fixture(scope="module")
def make_pairs():
    return compiled(life.make_pairs)


def test_made_pairs_are_a_function_of_the_seed(scene, make_pairs):
    first, again, other = (
        make_pairs(scene, seed) for seed in (ONE, ONE, tf.constant([1, 3]))
    )
    for one, two in zip(as_tuple(first), as_tuple(again), strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(first.frame, other.frame)
    for new, old in zip(as_tuple(first), as_tuple(scene), strict=True):
        assert new.shape == old.shape


def test_made_pairs_are_of_all_kinds(scene, make_pairs):
    """Clean and not, with nothing new, with one and more, own and others' objects."""
    results = [make_pairs(scene, tf.constant([0, number])) for number in range(24)]
    masks = np.concatenate([r.mask for r in results])[..., 0]
    bgs, frames, depths = (
        np.concatenate([getattr(r, name) for r in results])
        for name in ("bg", "frame", "depth")
    )
    for pictures in (bgs, frames):
        assert pictures.min() >= 0
        assert pictures.max() <= 255
        np.testing.assert_array_equal(pictures, np.round(pictures))
    assert masks.min() >= 0
    assert masks.max() <= 1
    assert np.isfinite(depths).all()
    assert depths.min() == 0
    number = len(masks)
    areas = (masks > 0.5).sum((1, 2))
    assert 0.02 * number < (areas == 0).sum() < 0.3 * number
    own = np.tile(scene.mask.numpy()[..., 0], (len(results), 1, 1))
    kept = np.isclose(masks, own).all((1, 2))
    assert 0.2 * number < kept.sum() < 0.6 * number
    unchanged = (
        np.abs(bgs - np.tile(scene.bg.numpy(), (len(results), 1, 1, 1))).max((1, 2, 3))
        < 1
    )
    assert 0.05 * number < unchanged.sum() < 0.5 * number


def test_without_any_of_its_parts_pairs_stay_what_they_are(scene):
    make_pairs = compiled(
        functools.partial(life.make_pairs, without=frozenset(OMITTABLE))
    )
    for number in range(4):
        result = make_pairs(scene, tf.constant([0, number]))
        np.testing.assert_array_equal(result.mask, scene.mask)
        np.testing.assert_array_equal(result.bg, np.round(scene.bg))
        np.testing.assert_array_equal(result.frame, np.round(scene.frame))


def test_one_part_left_out_changes_nothing_else(scene):
    others = frozenset(OMITTABLE) - {"shake"}
    shaken = compiled(functools.partial(life.make_pairs, without=others))
    results = [shaken(scene, tf.constant([0, number])) for number in range(4)]
    moved = [np.abs(r.bg - scene.bg).max((1, 2, 3)) > 20 for r in results]
    assert 0.3 < np.mean(moved) < 0.9
    for result in results:
        np.testing.assert_array_equal(result.mask, scene.mask)
        np.testing.assert_array_equal(result.frame, np.round(scene.frame))


def test_the_spread_of_what_is_tossed_is_known_in_some_pairs(scene):
    others = frozenset(OMITTABLE) - {"toss"}
    tossed = compiled(functools.partial(life.make_pairs, without=others))
    results = [tossed(scene, tf.constant([4, number])) for number in range(24)]
    spread = np.concatenate([result.spread for result in results])
    assert spread.shape[1:] == (64, 80, 1)
    known = spread.max((1, 2, 3)) > 0
    assert 0.02 * len(known) < known.sum() < 0.15 * len(known)
    calm = np.concatenate([r.bg - np.round(scene.bg) for r in results])[~known]
    assert np.mean(np.abs(calm).max((1, 2, 3)) < 1) > 0.8


def test_some_spread_tells_nothing_and_leaves_the_pair_as_it_is(scene):
    """Where people pass, the spread that predict measures is theirs."""
    others = frozenset(OMITTABLE) - {"passage"}
    passed = compiled(functools.partial(life.make_pairs, without=others))
    results = [passed(scene, tf.constant([4, number])) for number in range(16)]
    known = np.concatenate([result.spread for result in results]).max((1, 2, 3)) > 0
    assert 0.03 * len(known) < known.sum() < 0.35 * len(known)
    for result in results:
        np.testing.assert_array_equal(result.bg, np.round(scene.bg))
        np.testing.assert_array_equal(result.frame, np.round(scene.frame))


def test_shadows_of_what_is_out_of_view_fall_in_some_pairs(scene):
    others = frozenset(OMITTABLE) - {"cast_shadow"}
    with_them, without_them = (
        compiled(functools.partial(life.make_pairs, without=without))
        for without in (others - {"lone_shadow"}, others)
    )
    differ = []
    for number in range(24):
        seed = tf.constant([5, number])
        one, other = with_them(scene, seed), without_them(scene, seed)
        np.testing.assert_array_equal(one.mask, scene.mask)
        darker = np.asarray(other.frame) - np.asarray(one.frame)
        assert darker.min() >= 0
        differ += list(darker.max((1, 2, 3)) > 10)
    assert 0 < np.mean(differ) < 0.2


def test_evaluation_knows_no_spread_and_no_haze(scene):
    """Its figures are to stay comparable with those of earlier versions."""
    pair, full = Scene(*(value[:1] for value in as_tuple(scene))), tf.constant(1.0)
    perturbed, without = (
        compiled(function)
        for function in (
            life.perturb_pair,
            lambda pair, seed: life.perturb(pair, seed, full, frozenset(WIDE)),
        )
    )
    assert perturbed(pair, ONE).spread.max() == 0
    assert without(pair, ONE).spread.max() == 0
    contrast = [perturbed(pair, tf.constant([0, n])).bg.std() for n in range(12)]
    assert min(contrast) > 0.4 * pair.bg.numpy().std()


def test_labels_of_a_perturbed_pair_follow_its_frame(scene):
    perturbed = compiled(life.perturb_pair)
    pair = Scene(*(value[:1] for value in as_tuple(scene)))
    for number in range(4):
        result = perturbed(pair, tf.constant([0, number]))
        np.testing.assert_array_equal(result.mask, pair.mask)
        np.testing.assert_array_equal(result.depth, pair.depth)
        assert np.abs(result.bg - pair.bg).mean() > 1
        # The object is where the mask says: its one colour is spread least there.
        inside = result.frame[0][pair.mask.numpy()[0, ..., 0] == 1]
        outside = result.frame[0][pair.mask.numpy()[0, ..., 0] == 0]
        assert inside.std(0).mean() < 0.6 * outside.std(0).mean()


def test_an_empty_pair_has_nothing_new_and_does_not_know_what_was_behind(scene):
    empty = compiled(life.empty_pair)
    pair = Scene(*(value[:1] for value in as_tuple(scene)))
    result = empty(pair, ONE)
    assert result.mask.max() == 0
    was = pair.mask.numpy() > 0.02
    assert (result.depth[was] == 0).all()
    assert (result.depth[~was] > 0).mean() > 0.7
    gaps = [
        np.abs(result.frame[0] - p.numpy()[0]).mean() for p in (pair.bg, pair.frame)
    ]
    assert gaps[0] < gaps[1] + 20


def test_windows_show_pictures_and_labels_alike(scene):
    """Colours tell the mask and the metres, so that all four can be compared."""
    frame = tf.concat([scene.mask * 200, scene.depth, scene.mask * 0], -1)
    told = dataclasses.replace(scene, frame=frame, bg=frame)
    sizes = set()
    for number in range(8):
        seed = tf.constant([2, number])
        part = cut_windows(told, (48, 60), seed, zoom=1.5, flip=True)
        frame, mask, depth = (v.numpy() for v in as_tuple(part)[1:4])
        assert frame.shape == (4, 48, 60, 3)
        np.testing.assert_array_equal(part.bg, part.frame)
        np.testing.assert_allclose(frame[..., :1] / 200, mask, atol=1e-5)
        enlarged = np.median(frame[..., 1:2] / depth, (1, 2, 3))
        assert (enlarged > 0.74).all()
        assert (enlarged < 1.51).all()
        sizes |= set(np.round(enlarged, 3).tolist())
        flat = np.abs(frame[..., 1:2] / depth / enlarged[:, None, None, None] - 1)
        assert np.median(flat) < 0.01
    assert 1.0 in sizes
    assert len(sizes) > 8


def test_a_window_of_the_whole_is_the_whole_or_its_mirror_image(scene):
    seen = set()
    for number in range(6):
        part = cut_windows(
            scene, (64, 80), tf.constant([0, number]), zoom=1.0, flip=True
        )
        for index in range(4):
            new, old = part.frame.numpy()[index], scene.frame.numpy()[index]
            mirrored = np.abs(new - old).max() > 1
            np.testing.assert_allclose(
                new, old[:, ::-1] if mirrored else old, atol=0.05
            )
            seen.add(bool(mirrored))
    assert seen == {True, False}
