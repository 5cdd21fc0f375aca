import dataclasses

import pytest

from fgbg_tfds.compose.recipe import SPLITS, Composite, Recipe
from fgbg_tfds.errors import InputError


def names(kind, count):
    return tuple(f"{kind}{index}" for index in range(count))


def recipe(foregrounds=10, backgrounds=10, **settings):
    return Recipe(names("fg", foregrounds), names("bg", backgrounds), **settings)


def test_the_whole_recipe_has_400_000_composites():
    whole = recipe(100, 100)
    counts = {split: len(members) for split, members in whole.splits.items()}
    assert len(whole) == 400_000
    assert sum(counts.values()) == 400_000
    assert counts == {
        "train": 80 * 80 * 40,
        "validation": 10 * 10 * 40,
        "test": 10 * 10 * 40,
        "cross": 400_000 - (80 * 80 + 10 * 10 + 10 * 10) * 40,
    }


def test_splits_are_the_whole_and_disjoint_by_identity():
    whole = recipe(13, 7, placements=3)
    seen = [c for members in whole.splits.values() for c in members]
    assert len(seen) == len(set(seen)) == len(whole)
    assert set(seen) == set(whole.iterate())
    used = {
        split: (
            {c.foreground for c in whole.splits[split]},
            {c.background for c in whole.splits[split]},
        )
        for split in SPLITS[:3]
    }
    for split, (foregrounds, backgrounds) in used.items():
        assert foregrounds and backgrounds
        for other, (others, grounds) in used.items():
            if other != split:
                assert not foregrounds & others
                assert not backgrounds & grounds


def test_three_pictures_each_fill_every_split():
    assert set(recipe(3, 3).splits) == set(SPLITS)


def test_same_seed_same_recipe_other_seed_another():
    assert recipe().splits == recipe().splits
    changed = recipe(seed=1)
    assert changed.splits != recipe().splits
    composite = Composite(0, 0, 0, False)
    assert changed.find_placement(composite) != recipe().find_placement(composite)


def test_placement_is_known_for_ever():
    placement = recipe().find_placement(Composite(3, 4, 5, True))
    assert dataclasses.astuple(placement) == pytest.approx(
        (0.2843658247, 0.7389608769, 0.5119938953), abs=1e-9
    )


def test_flipped_twin_stands_at_the_same_place():
    whole = recipe()
    plain, flipped = (Composite(1, 2, 3, flipped) for flipped in (False, True))
    assert whole.find_placement(plain) == whole.find_placement(flipped)


def test_a_new_picture_moves_no_other():
    small, large = recipe(10, 10), recipe(11, 10)
    for composite in list(small.iterate())[::97]:
        assert small.find_placement(composite) == large.find_placement(composite)


def test_scale_stays_in_its_bounds_and_fills_them():
    whole = recipe(scale=(0.3, 0.6))
    scales = [whole.find_placement(c).scale for c in whole.iterate()]
    assert 0.3 <= min(scales) < 0.31 and 0.59 < max(scales) <= 0.6
    original = recipe(scale=(80 / 224, 80 / 224))
    assert {original.find_placement(c).scale for c in original.iterate()} == {80 / 224}


def test_without_flips_half_the_composites_remain():
    assert len(recipe(flips=False)) == len(recipe()) // 2
    assert not any(c.flipped for c in recipe(flips=False).iterate())


def test_keys_are_unique():
    keys = [recipe().make_key(composite) for composite in recipe().iterate()]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"foregrounds": 2}, "foregrounds"),
        ({"backgrounds": 0}, "backgrounds"),
        ({"placements": 0}, "placements"),
        ({"scale": (0.5, 0.2)}, "scale"),
        ({"scale": (0, 0.2)}, "scale"),
        ({"scale": (0.5, 1.2)}, "scale"),
    ],
)
def test_impossible_recipe_is_refused_by_field(settings, field):
    with pytest.raises(InputError, match=f"^{field}: "):
        recipe(**settings)


def test_equal_pictures_share_a_split_and_count_once():
    copies = Recipe(
        names("fg", 12),
        names("bg", 10),
        foreground_identities=(*names("fg", 6), *("fg0",) * 6),
    )
    splits = copies.foreground_splits
    assert set(splits[6:]) == {splits[0]}
    assert splits[:6] == recipe(6, 10).foreground_splits
    assert {splits[:6].count(split) for split in ("validation", "test")} == {1}


def test_too_few_different_pictures_are_refused():
    with pytest.raises(InputError, match=r"backgrounds: 2 different .* in 6 file"):
        Recipe(
            names("fg", 3),
            names("bg", 6),
            background_identities=("bg0", "bg1") * 3,
        )
