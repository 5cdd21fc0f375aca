import types

import pytest
import tensorflow_datasets as tfds

from trainer import data


def test_foregrounds_of_all_data_sets_are_counted(mixed_data_dir):
    mixture = data.open_mixture("miniset/sample,miniset/other", mixed_data_dir)
    assert mixture.foregrounds == 6


@pytest.mark.parametrize(
    "features", [{}, {"foreground": tfds.features.Text()}], ids=["none", "text"]
)
def test_foregrounds_that_are_not_named_are_not_counted(data_dir, features):
    mixture = data.open_mixture("miniset/sample", data_dir)
    info = types.SimpleNamespace(features=tfds.features.FeaturesDict(features))
    stranger = types.SimpleNamespace(info=info)
    assert data.Mixture((*mixture.builders, stranger)).foregrounds is None
