"""A training step of ours against the same network in PyTorch.

    python benchmarks/train_step.py --batch_size=32 --image_size=224 --rounds=5
    python benchmarks/train_step.py --model=refine --batch_size=16
    python benchmarks/train_step.py --xla --model=refine --batch_size=16
    python benchmarks/train_step.py --microbatches=2
    MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=8000000000 python benchmarks/train_step.py

Both networks have the same layers, losses and optimizer, and the same number of
threads; ours is the trainer's whole step, which averages the weights and counts hits
besides. Their steps are taken in turns, so that a busy machine disturbs both alike; the
medians are compared. New pages of memory are counted as well: PyTorch gives large
arrays back to the system in every step, unless the variables above, of glibc, make it
keep them. The limit that is printed is the time of the
multiplications alone, at the speed of a product of large matrices. With --model,
another network of ours is compared with Eigen's in PyTorch's place, each with the
losses of its recipe; PyTorch is not needed. With --xla or --microbatches, a network of
ours is compared with itself so compiled, or so cut.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import statistics
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import numpy as np
import tensorflow as tf

from trainer import distribution
from trainer.models import make_network
from trainer.settings import Settings
from trainer.train.schedule import make_stages
from trainer.train.state import State
from trainer.train.step import make_step

PAIR_CHANNELS = 6


def our_step(
    model: str,
    size: int,
    units: int,
    batch: dict,
    precision: str,
    xla: bool = False,
    microbatches: int = 1,
):
    """Makes the trainer's own step, with averaged weights and the mask's counts."""
    own = {"edge_weight": 3.0, "dice": 1.0} if model == "refine" else {}
    settings = Settings(
        model=model,
        image_size=str(size),
        coarse_units=units,
        batch_size=len(batch["bg"]),
        microbatches=microbatches,
        precision=precision,
        xla=xla,
        **own,
    )
    dtype = distribution.choose_policy(precision)
    network = make_network(settings, settings.size, dtype=dtype)
    state = State(
        network=network,
        averaged=make_network(settings, settings.size),
        stages=make_stages(network, settings),
        step=tf.Variable(0, dtype=tf.int64),
    )
    step = make_step(state, state.stages[0], settings, tf.distribute.get_strategy())
    batch = {name: tf.constant(value) for name, value in batch.items()}
    batch["index"] = tf.range(settings.batch_size)
    return lambda: float(step(batch)[0]["loss"]), network.model.count_params()


def multiplications(size: int, units: int, batch_size: int) -> int:
    """Counts the multiplications of Eigen's step, forward and backward.

    Each product of a picture's value and a weight is needed three times: forward, for
    the gradient of the weight and, unless the value is the picture's own, of the value.
    """
    settings = Settings(image_size=str(size), coarse_units=units)
    model = make_network(settings, settings.size).model
    total = 0
    for stage in model.layers:
        for layer in getattr(stage, "layers", [stage]):
            if hasattr(layer, "kernel"):
                shape = layer.kernel.shape
                places = math.prod(layer.output.shape[1:-1])
                times = 2 if shape[-2] == PAIR_CHANNELS else 3
                total += times * math.prod(shape) * places
    return total * batch_size


def fastest_multiplications(precision: str, side: int = 4096) -> float:
    """Multiplications a second in a product of two large matrices."""
    matrix = tf.cast(tf.random.normal((side, side)), precision)
    product = tf.function(lambda: tf.linalg.trace(matrix @ matrix))
    times = []
    for _ in range(4):
        start = time.perf_counter()
        float(product())
        times.append(time.perf_counter() - start)
    return side**3 / min(times)


def torch_step(size: int, units: int, batch: dict, precision: str):
    """Makes the same step in PyTorch, as its users would write it."""
    import torch
    from torch import nn
    from torch.nn import functional

    cells = size // 4

    class Eigen(nn.Module):
        def __init__(self):
            super().__init__()
            relu, flat = nn.ReLU(), nn.Flatten()
            self.coarse = nn.Sequential(
                nn.Conv2d(6, 96, 11, 4, 5), relu, nn.MaxPool2d(2),
                nn.Conv2d(96, 256, 5, 1, 2), relu, nn.MaxPool2d(3, 2, 1),
                nn.Conv2d(256, 384, 3, 1, 1), relu,
                nn.Conv2d(384, 384, 3, 1, 1), relu,
                nn.Conv2d(384, 256, 3, 2, 1), relu, flat,
                nn.Linear(256 * (size // 32) ** 2, units), relu, nn.Dropout(0.5),
                nn.Linear(units, 2 * cells**2),
            )  # fmt: skip
            self.fine_1 = nn.Sequential(
                nn.Conv2d(6, 63, 9, 2, 4), relu, nn.MaxPool2d(2)
            )
            self.fine_3 = nn.Sequential(nn.Conv2d(65, 64, 5, 1, 2), relu)
            self.fine_4 = nn.Conv2d(64, 2, 5, 1, 2)

        def forward(self, bg, fgbg):
            pair = torch.cat([fgbg / 127.5 - 1, (fgbg - bg) * (4 / 255)], 1)
            coarse = self.coarse(pair).view(-1, 2, cells, cells)
            fine = self.fine_3(torch.cat([self.fine_1(pair), coarse], 1))
            return coarse, self.fine_4(fine)

    model = Eigen().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4, weight_decay=0.004)
    tensors = {
        name: torch.tensor(value.transpose(0, 3, 1, 2)).contiguous(
            memory_format=torch.channels_last
        )
        for name, value in batch.items()
    }
    known = tensors["depth"] > 0
    log_depth = torch.where(known, tensors["depth"], 1).log()

    def step():
        optimizer.zero_grad()
        with torch.autocast(
            "cpu", getattr(torch, precision), enabled=precision != "float32"
        ):
            outputs = model(tensors["bg"], tensors["fgbg"])
        loss = 0.0
        for maps, weight in zip(outputs, (0.5, 1.0), strict=True):
            full = functional.interpolate(maps.float(), (size, size), mode="bilinear")
            mask = functional.binary_cross_entropy_with_logits(
                full[:, :1], tensors["mask"]
            )
            error = torch.where(known, full[:, 1:] - log_depth, 0)
            number = known.sum((1, 2, 3))
            mean = error.sum((1, 2, 3)) / number
            depth = ((error**2).sum((1, 2, 3)) / number - 0.5 * mean**2).mean()
            loss = loss + weight * (2 * mask + depth)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step, sum(parameter.numel() for parameter in model.parameters())


def compare(arguments: argparse.Namespace) -> None:
    """Prints a line for each precision and framework."""
    rng = np.random.default_rng(0)
    shape = (arguments.batch_size, arguments.image_size, arguments.image_size)
    batch = {
        "bg": rng.uniform(0, 255, (*shape, 3)).astype(np.float32),
        "fgbg": rng.uniform(0, 255, (*shape, 3)).astype(np.float32),
        "mask": (rng.uniform(size=(*shape, 1)) < 0.1).astype(np.float32),
        "depth": rng.uniform(0.0, 80, (*shape, 1)).astype(np.float32),
    }
    print(
        f"Batch {arguments.batch_size}, {arguments.image_size} pixels, coarse_6 "
        f"of {arguments.coarse_units}; medians of {arguments.rounds} steps in turns"
    )
    for precision in arguments.precisions.split(","):
        settings = (arguments.image_size, arguments.coarse_units, batch, precision)
        name = arguments.model or "eigen"
        if arguments.xla or arguments.microbatches > 1:
            first, other = name, "xla" if arguments.xla else "cut"
            changes = {"xla": arguments.xla, "microbatches": arguments.microbatches}
            steps = {
                first: our_step(name, *settings),
                other: our_step(name, *settings, **changes),
            }
        else:
            first, other = "eigen", arguments.model or "torch"
            steps = {
                first: our_step("eigen", *settings),
                other: our_step(other, *settings)
                if arguments.model
                else torch_step(*settings),
            }
        times = {name: [] for name in steps}
        works = {name: [] for name in steps}
        pages = {name: [] for name in steps}
        for number in range(arguments.rounds + 2):
            for name, (step, _) in steps.items():
                start, worked, had = time.perf_counter(), time.process_time(), _pages()
                step()
                if number >= 2:  # the first ones trace and warm up
                    times[name].append(time.perf_counter() - start)
                    works[name].append(time.process_time() - worked)
                    pages[name].append(_pages() - had)
        medians = {name: statistics.median(values) for name, values in times.items()}
        for name, (_, parameters) in steps.items():
            print(
                f"{precision:9} {name:6} {medians[name]:7.3f} s a step, "
                f"{statistics.median(works[name]):7.3f} of processor, "
                f"{statistics.median(pages[name]):,.0f} new pages, "
                f"{parameters:,} parameters"
            )
        ratio = medians[first] / medians[other]
        print(f"{precision:9} {first} / {other} {ratio:.3f}", flush=True)
        if "torch" in steps:
            least = multiplications(
                arguments.image_size, arguments.coarse_units, arguments.batch_size
            ) / fastest_multiplications(precision)
            print(
                f"{precision:9} limit  {least:7.3f} s, were all multiplications as "
                f"quick as in large matrices; / torch {least / medians['torch']:.3f}",
                flush=True,
            )


def _pages() -> int:
    """Pages of memory that the system has given this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch_size", type=int, default=32)
    parser.add_argument("--image_size", type=int, default=224)
    parser.add_argument("--coarse_units", type=int, default=4096)
    parser.add_argument("--model", default="", choices=("", "dnn15", "refine"))
    parser.add_argument(
        "--xla", action="store_true", help="compare our step with itself under XLA"
    )
    parser.add_argument(
        "--microbatches", type=int, default=1, help="compare our step with itself cut"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--precisions", default="float32,bfloat16")
    arguments = parser.parse_args()
    if not arguments.model and not arguments.xla and arguments.microbatches == 1:
        try:
            import torch
        except ImportError:
            sys.exit("error: PyTorch is not installed; pip install torch")
        torch.set_num_threads(os.cpu_count() or 1)
    compare(arguments)


if __name__ == "__main__":
    main()
