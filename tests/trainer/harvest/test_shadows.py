"""Hard shadows are told from things by the one colour that they all have."""

import numpy as np
import pytest

from trainer.harvest.shadows import FEWEST_TRACKS, ShadowFinder, find_shadow
from trainer.predict import Object

LIGHT = np.array([0.45, 0.5, 0.55])  # what a shadow leaves
SIZE = (60, 100)


@pytest.fixture
def scene():
    rng = np.random.default_rng(0)
    return np.clip(rng.normal(150, 12, (*SIZE, 3)), 0, 255).astype(np.uint8)


def draw(scene, identity, shadow=True):
    """A thing, its shadow at its left, and the object that holds both."""
    rng = np.random.default_rng(identity)
    frame = scene.copy()
    parts = rng.uniform(0, 255, (10, 10, 3)).repeat(3, 0).repeat(3, 1)
    frame[20:50, 50:80] = parts
    inside = np.zeros(SIZE, bool)
    inside[20:50, 50:80] = True
    if shadow:
        frame[38:50, 10:50] = frame[38:50, 10:50] * LIGHT
        inside[38:50, 10:50] = True
    box = (10, 20, 70, 30)
    return frame, Object(box, inside[20:50, 10:80], 0.1, (0, 0), 5.0, 1.0, identity)


def find_ratio(scene, shadow, number=FEWEST_TRACKS + 4):
    finder = ShadowFinder()
    for identity in range(1, number + 1):
        frame, each = draw(scene, identity, shadow)
        finder.add(frame, scene, [each])
    return finder.find_ratio()


def test_what_all_things_share_is_their_shadow(scene):
    np.testing.assert_allclose(find_ratio(scene, True), np.log(LIGHT), atol=0.06)


def test_things_without_shadows_share_nothing(scene):
    assert find_ratio(scene, False) is None


def test_few_things_prove_nothing(scene):
    assert find_ratio(scene, True, FEWEST_TRACKS - 1) is None


def test_the_shadow_is_cut_off_and_the_thing_stays(scene):
    frame, each = draw(scene, 3)
    window = each.window
    shadow = find_shadow(frame[window], scene[window], each.inside, np.log(LIGHT))
    assert shadow[18:, 2:36].mean() > 0.95  # but for what is beside the thing
    assert shadow[:, 42:].mean() < 0.02
