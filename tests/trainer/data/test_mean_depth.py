import numpy as np
import pytest

from trainer import data
from trainer.errors import UserError


@pytest.fixture(scope="module")
def mixture(data_dir):
    return data.open_mixture("miniset/sample", data_dir)


def test_mean_depth_counts_known_pixels_only(mixture):
    raw = np.stack([e["depth"] for e in mixture.read_pictures()])[..., 0] / 256
    metres, logs = data.average_depth(mixture)
    assert metres.shape == logs.shape == (64, 64)
    np.testing.assert_allclose(metres[2:], raw[:, 2:].mean(0), rtol=1e-5)
    np.testing.assert_allclose(logs[2:], np.log(raw[:, 2:]).mean(0), rtol=1e-5)
    np.testing.assert_allclose(metres[:2], raw[raw > 0].mean(), rtol=1e-5)


def test_a_split_without_depth_is_told_plainly(mixture):
    with pytest.raises(UserError, match="no depth is known in split"):
        data.average_depth(mixture, limit=0)
