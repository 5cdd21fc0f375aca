import numpy as np
import pytest
from depth_cases import CASES

from fgbg_tfds.depth.measures import metrics


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_figures_are_those_worked_out_by_hand(case):
    found = metrics.compute_metrics(np.array(case.predicted), np.array(case.true))
    for name, figure in case.figures.items():
        # SILog is a root: rounding of 1e-16 below it is 1e-6 (in per cent) above.
        tolerance = 1e-5 if name == "silog" else 1e-9
        assert found[name] == pytest.approx(figure, abs=tolerance), name


def test_order_is_measured_by_rank():
    case = CASES[1]
    found = metrics.compute_metrics(np.array(case.predicted), np.array(case.true))
    assert found["rank"] == pytest.approx(1.0)


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
