import numpy as np
import pytest

from trainer.errors import UserError
from trainer.models.eigen import eigen

# Height x width of the maps, from Figure 1 of the paper.
SIZES = {
    (228, 304): [(27, 37), (13, 18), (13, 18), (13, 18), (6, 8), (55, 74)],
    (172, 576): [(20, 71), (9, 35), (9, 35), (9, 35), (4, 17), (27, 142)],
    (224, 224): [(28, 28), (14, 14), (14, 14), (14, 14), (7, 7), (56, 56)],
}
CHANNELS = [96, 256, 384, 384, 256]


@pytest.mark.parametrize("size", SIZES)
def test_layers_have_the_sizes_of_the_paper(size):
    network = eigen(
        size,
        padding="same" if size == (224, 224) else "valid",
        coarse_units=8,
        fine_rows=116 if size == (172, 576) else None,
    )
    layer = network.model.get_layer
    *convolutions, maps = SIZES[size]
    for number, (shape, channels) in enumerate(
        zip(convolutions, CHANNELS, strict=True), start=1
    ):
        assert layer(f"coarse_{number}").output.shape == (None, *shape, channels)
    assert layer("coarse_6").output.shape == (None, 8)
    assert layer("coarse_7").output.shape == (None, *maps, 2)
    assert layer("fine_1").output.shape == (None, *maps, 63)
    assert layer("fine_2").output.shape == (None, *maps, 63 + 2)
    assert layer("fine_3").output.shape == (None, *maps, 64)
    assert layer("fine_4").output.shape == (None, *maps, 2)
    assert network.grid.cells == maps


def test_kernels_are_the_paper_s():
    model = eigen((228, 304), padding="valid", coarse_units=8).model
    shapes = {
        name: model.get_layer(name).weights[0].shape
        for name in ("coarse_1", "coarse_2", "coarse_3", "fine_1", "fine_3", "fine_4")
    }
    assert shapes == {
        "coarse_1": (11, 11, 6, 96),
        "coarse_2": (5, 5, 96, 256),
        "coarse_3": (3, 3, 256, 384),
        "fine_1": (9, 9, 6, 63),
        "fine_3": (5, 5, 65, 64),
        "fine_4": (5, 5, 64, 2),
    }


def test_stages_do_not_cast_to_float32_in_between():
    network = eigen((64, 64), coarse_units=8, dtype="mixed_bfloat16")
    assert network.model.get_layer("fine_3").output.dtype == "bfloat16"


def test_depth_starts_from_the_given_map():
    slope = np.broadcast_to(np.linspace(3, 1, 64)[:, None], (64, 64))
    network = eigen((64, 64), coarse_units=8, mean_log_depth=slope)
    pair = np.full((1, 64, 64, 3), 127.5, np.float32)
    outputs = network.model({"bg": pair, "fgbg": pair})
    _, depth = network.logits(outputs["coarse"], (64, 64))
    np.testing.assert_allclose(np.asarray(depth)[0, 4:-4, :, 0], slope[4:-4], atol=0.1)


def test_a_hidden_object_moves_no_map_away_from_it():
    """The fine maps lie where the grid says: an edge in the pair is an edge there."""
    network = eigen((64, 64), coarse_units=8, seed=3)
    bg = np.full((1, 64, 64, 3), 100, np.float32)
    fgbg = bg.copy()
    fgbg[:, 30:35, 30:35] = 250
    still, moved = (
        np.asarray(network.model({"bg": bg, "fgbg": picture})["fine"])
        - np.asarray(network.model({"bg": bg, "fgbg": picture})["coarse"])
        for picture in (bg, fgbg)
    )
    changed = np.abs(moved - still)[0, ..., 0]
    rows, columns = np.indices(changed.shape)
    centre = [(axis * changed).sum() / changed.sum() for axis in (rows, columns)]
    expected = (32 - network.grid.top) / network.grid.stride
    np.testing.assert_allclose(centre, expected, atol=1.0)


@pytest.mark.parametrize(
    "settings",
    [
        {"size": (100, 100)},
        {"size": (32, 33)},
        {"size": (40, 40), "padding": "valid"},
        {"size": (8, 8), "padding": "valid"},
        {"size": (228, 304), "padding": "valid", "fine_rows": 400},
    ],
)
def test_pictures_that_do_not_fit_are_refused(settings):
    with pytest.raises(UserError, match="pictures of"):
        eigen(coarse_units=8, **settings)
