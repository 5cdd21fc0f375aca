import importlib.util
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parents[3]
PROGRAM = """
import sys
import keras
import numpy as np
from trainer.models import eigen
needs_tensorflow = "tensorflow" in sys.modules
from trainer.train.losses import compute_depth_loss

rng = np.random.default_rng(0)
bg, fgbg = rng.uniform(0, 255, (2, 2, 64, 64, 3)).astype(np.float32)
network = eigen((64, 64), coarse_units=8)
for weight in network.model.weights:
    weight.assign(rng.normal(0, 0.05, weight.shape).astype(np.float32))
mask, depth = network.predict(bg, fgbg, (64, 64))
true = rng.uniform(0, 80, (2, 64, 64, 1)).astype(np.float32)
loss = compute_depth_loss(keras.ops.log(depth), true)
to_numpy = keras.ops.convert_to_numpy
np.savez(sys.argv[1], mask=to_numpy(mask), depth=to_numpy(depth), loss=to_numpy(loss))
print(keras.backend.backend(), needs_tensorflow)
"""


def answers(backend, path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)],
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": backend},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split()[-2:] == [backend, str(backend == "tensorflow")]
    return dict(np.load(path))


@pytest.mark.skipif(
    not importlib.util.find_spec("torch"), reason="PyTorch is not installed"
)
def test_the_network_gives_the_same_maps_under_pytorch(tmp_path):
    ours = answers("tensorflow", tmp_path / "tensorflow.npz")
    theirs = answers("torch", tmp_path / "torch.npz")
    for name, value in ours.items():
        np.testing.assert_allclose(theirs[name], value, rtol=1e-3, atol=1e-4)
