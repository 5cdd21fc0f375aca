import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"

import pytest


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory):
    """A folder with the data set miniset/sample."""
    from miniset import Miniset

    folder = tmp_path_factory.mktemp("data")
    Miniset(data_dir=str(folder), config="sample").download_and_prepare()
    return str(folder)
