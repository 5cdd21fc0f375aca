"""Masks and depth of a trained network on the test splits of data sets.

    python benchmarks/network_masks.py --datasets fgbg/rooms fgbg/streets

The network (the pretrained one; --model for another file of weights) sees, of each data
set, --examples of `test`, evenly spread: as they are, perturbed, and with nothing new
(`trainer.augment`), at the pictures' full size. Prints a Markdown table: mask IoU, the
share of pixels that are taken for new where nothing is, and abs rel and δ < 1.25 of
depth against the labels.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"

import numpy as np
import tqdm

from trainer import distribution
from trainer.data import PAIRS, Mixture, open_mixture, sample_split
from trainer.errors import UserError
from trainer.evaluate import OWN_ROW, Evaluator, metrics
from trainer.models import Network
from trainer.pretrained import load_network
from trainer.runs import Run
from trainer.settings import Settings
from trainer.shipped import WEIGHTS_FILE


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--datasets", nargs="+", required=True, metavar="NAME")
    parser.add_argument("--data_dir", default="", help="folder of the data sets")
    parser.add_argument("--model", type=pathlib.Path, default=WEIGHTS_FILE)
    parser.add_argument("--examples", type=int, default=256, help="of each test split")
    arguments = parser.parse_args()
    print(
        "| | examples | IoU | IoU perturbed | new where nothing is | abs rel "
        "| δ < 1.25 |"
    )
    print("|---" * 7 + "|")
    try:
        network, _ = load_network(arguments.model)
        for name in arguments.datasets:
            mixture = open_mixture(name, arguments.data_dir, "test")
            sample = sample_split(mixture.builders[0], "test", arguments.examples)
            cells = measure(network, mixture.with_split(sample))
            print(f"| `{name}` | " + " | ".join(cells) + " |", flush=True)
    except UserError as error:
        sys.exit(f"error: {error}")


def measure(network: Network, mixture: Mixture) -> list[str]:
    """Measures a network on one data set: the cells of its row."""
    size = mixture.picture_size
    settings = Settings(model="refine", image_size=f"{size[0]}x{size[1]}")
    run = Run(settings, mixture, network, 0, np.ones(size, np.float32))
    evaluator = Evaluator(distribution.make_strategy(settings), {OWN_ROW: run})
    batches = -(-mixture.count() // evaluator.batch_size)
    with tqdm.tqdm(total=len(PAIRS) * batches, unit="batch", leave=False) as bar:
        sums = {
            pairs: evaluator.measure(mixture, pairs=pairs, on_batch=bar.update)[OWN_ROW]
            for pairs in PAIRS
        }
    ious = [
        metrics.compute_mask_metrics(sums[pairs])["mask_iou"]
        for pairs in ("clean", "perturbed")
    ]
    wrong = metrics.compute_boundary_metrics(sums["empty"])["mask_false_positive_rate"]
    depth = metrics.compute_depth_metrics(sums["clean"])
    return [
        str(mixture.count()),
        *(f"{iou:.3f}" for iou in ious),
        f"{100 * wrong:.3f} %",
        f"{depth['depth_abs_rel']:.3f}",
        f"{depth['depth_delta_1']:.3f}",
    ]


if __name__ == "__main__":
    main()
