import numpy as np
import pytest
import tensorflow as tf

from trainer.augment.pasting import Scene


@pytest.fixture
def scene():
    """Four pairs of 64 x 80: a disc each on the ground of a textured slope."""
    rng = np.random.default_rng(0)
    down, right = np.mgrid[:64, :80]
    masks, frames, bgs, depths = [], [], [], []
    for number in range(4):
        far = np.hypot(down - 40, right - 20 - 12 * number)
        mask = np.clip(10 + number - far, 0, 1)[..., None].astype(np.float32)
        bg = rng.uniform(60, 200, (16, 20, 3)).repeat(4, 0).repeat(4, 1)
        bgs.append(bg)
        masks.append(mask)
        frames.append(bg * (1 - mask) + mask * rng.uniform(0, 255, 3))
        ground = (40.0 - down / 2)[..., None]
        depths.append(np.where(mask >= 0.5, 12.0, ground))
    arrays = (bgs, frames, masks, depths)
    return Scene(*(tf.constant(np.stack(a), tf.float32) for a in arrays))
