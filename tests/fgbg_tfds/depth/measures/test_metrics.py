import numpy as np
import pytest

from fgbg_tfds.depth.measures import metrics


def test_depth_metrics_by_hand():
    truth = np.array([2.0, 4.0, 0.0, 10.0])
    estimate = np.array([1.0, 4.0, 7.0, 20.0])
    found = metrics.compute_metrics(estimate, truth)
    d = np.array([-np.log(2), 0.0, np.log(2)])
    assert found["abs_rel"] == pytest.approx((0.5 + 0 + 1) / 3)
    assert found["sq_rel"] == pytest.approx((0.5 + 0 + 10) / 3)
    assert found["rmse"] == pytest.approx(np.sqrt(101 / 3))
    assert found["rmse_log"] == pytest.approx(np.sqrt(2 / 3) * np.log(2))
    assert found["silog"] == pytest.approx(100 * np.sqrt((d**2).mean()))
    assert found["delta_1"] == pytest.approx(1 / 3)
    assert found["delta_3"] == pytest.approx(1 / 3)  # 2 > 1.25^3
    assert found["rank"] == pytest.approx(1.0)


def test_deltas_are_nested():
    found = metrics.compute_metrics(np.array([1.2, 1.5, 1.9, 3.0]), np.ones(4))
    assert [found[f"delta_{n}"] for n in (1, 2, 3)] == [0.25, 0.5, 0.75]


def test_median_scaling_undoes_a_factor():
    truth = np.array([[1.0, 2.0], [3.0, 0.0]])
    scaled = metrics.scale_by_median(7 * truth + (truth == 0), truth)
    np.testing.assert_allclose(scaled[truth > 0], truth[truth > 0])
    found = metrics.average_metrics([7 * truth + 1e-3], [truth], median_scaled=True)
    assert found["abs_rel"] < 1e-3
    assert metrics.average_metrics([7 * truth + 1e-3], [truth], False)["abs_rel"] > 5


def test_rank_correlation_shares_ranks_of_equal_values():
    first, second = np.array([1.0, 1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0, 4.0])
    ranks = np.array([0.5, 0.5, 2, 3]) - 1.5, np.arange(4) - 1.5
    wanted = (ranks[0] @ ranks[1]) / np.sqrt((ranks[0] @ ranks[0]) * 5)
    assert metrics.correlate_ranks(first, second) == pytest.approx(wanted)
    assert metrics.correlate_ranks(first, -first) == pytest.approx(-1)
    assert metrics.correlate_ranks(np.ones(4), second) == 0
