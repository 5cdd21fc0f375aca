import numpy as np

from trainer.models.dnn15 import dnn15


def test_it_has_the_original_s_parameters():
    model = dnn15((32, 32)).model
    assert sum(np.prod(w.shape) for w in model.trainable_weights) == 305_728


def test_maps_are_as_large_as_the_pictures():
    network = dnn15((16, 24))
    pair = dict.fromkeys(("bg", "fgbg"), np.zeros((2, 16, 24, 3), np.float32))
    assert network.model(pair)["full"].shape == (2, 16, 24, 2)
    assert network.grid.cells == (16, 24)
