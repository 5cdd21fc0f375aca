import numpy as np

from trainer.models.grid import Grid, enlarge, reduce_map

GRID = Grid(picture=(16, 24), cells=(4, 6), top=2.0, left=2.0, stride=4.0)


def ramp(height, width, scale=1.0):
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    return (rows * 3 + columns) * scale


def test_cells_keep_their_values_at_their_centres():
    cells = np.random.default_rng(0).normal(size=(2, 4, 6, 1)).astype(np.float32)
    full = np.asarray(enlarge(cells, GRID, (16, 24)))
    np.testing.assert_allclose(full[:, 2::4, 2::4], cells, rtol=1e-6)


def test_a_slope_stays_where_it_is():
    full = ramp(16, 24)
    cells = full[2::4, 2::4][None, ..., None]
    enlarged = np.asarray(enlarge(cells, GRID, (16, 24)))[0, ..., 0]
    np.testing.assert_allclose(enlarged[2:15, 2:23], full[2:15, 2:23], rtol=1e-5)


def test_a_slope_stays_where_it_is_on_a_larger_picture():
    cells = ramp(16, 24)[2::4, 2::4][None, ..., None]
    enlarged = np.asarray(enlarge(cells, GRID, (32, 48)))[0, ..., 0]
    rows, columns = np.mgrid[:32, :48]
    expected = ((rows + 0.5) / 2 - 0.5) * 3 + (columns + 0.5) / 2 - 0.5
    np.testing.assert_allclose(
        enlarged[5:29, 5:45], expected[5:29, 5:45], rtol=1e-5, atol=1e-4
    )


def test_reduce_map_undoes_a_constant_and_keeps_a_slope():
    np.testing.assert_allclose(reduce_map(np.full((32, 48), 7.0), GRID), 7, rtol=1e-6)
    reduced = reduce_map(ramp(16, 24), GRID)
    np.testing.assert_allclose(
        reduced[1:-1, 1:-1], ramp(16, 24)[2::4, 2::4][1:-1, 1:-1]
    )


def test_rows_that_the_network_was_not_shown_do_not_count():
    bottom = Grid(picture=(172, 576), cells=(27, 142), top=61.0, left=5.0, stride=4.0)
    covered = bottom.covered(172)[:, 0, 0]
    assert covered.shape == (172,)
    assert covered[:53].sum() == 0
    assert covered[60:].all()
    assert GRID.covered(16).all()
