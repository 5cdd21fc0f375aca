"""Measures the speed of a build beside the teacher alone and the original's loop.

    python benchmarks/build_speed.py --foregrounds DIR --backgrounds DIR

Everything runs in this process, interleaved, round after round; what counts are
the ratios. Without folders, drawn pictures are taken. Builds read (or draw) the
pictures and load their teacher anew each time, as the teacher alone does; the
start of Python and the import of TensorFlow are in none of them. "Loaded" is the
ratio without the loading of the teacher. Processor time is that of all threads.

- original: the original project's way, on one thread: paste with Pillow, save the
  composite and the mask as JPEG of quality 30, then zip the folder.
- none: our build without a teacher (depth unknown).
- geometric: our build; the teacher looks at each background once.
- composite: our build; the teacher looks at every composite.
- teacher: the teacher alone on composites in memory, nothing composed or written.
- loading: the teacher loads and looks at one batch.
"""

from __future__ import annotations

import argparse
import logging
import math
import os
import pathlib
import shutil
import statistics
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from PIL import Image

from fgbg_tfds import Builder, FgbgConfig, depth
from fgbg_tfds.writing import shards
from fgbg_tfds.writing.examples import Studio

JPEG_QUALITY = 30


def original(studio: Studio, folder: pathlib.Path) -> None:
    """Composes the way the original project did, and zips the result."""
    foregrounds = [Image.fromarray(p.pixels) for p in studio.foregrounds]
    backgrounds = [Image.fromarray(p.pixels) for p in studio.backgrounds]
    pictures = folder / "pictures"
    pictures.mkdir()
    for number, composite in enumerate(studio.recipe.iterate()):
        placement = studio.recipe.find_placement(composite)
        background = backgrounds[composite.background]
        cutout = foregrounds[composite.foreground]
        longest = placement.scale * background.width / max(cutout.size)
        size = [max(1, round(side * longest)) for side in cutout.size]
        cutout = cutout.resize(size)
        if composite.flipped:
            cutout = cutout.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        left = round(placement.left * (background.width - cutout.width))
        top = round(placement.top * (background.height - cutout.height))
        fgbg = background.copy()
        fgbg.paste(cutout, (left, top), cutout)
        mask = Image.new("L", background.size)
        mask.paste(cutout.getchannel("A"), (left, top))
        fgbg.save(pictures / f"fgbg_{number}.jpg", quality=JPEG_QUALITY)
        mask.save(pictures / f"mask_{number}.jpg", quality=JPEG_QUALITY)
    shutil.make_archive(str(folder / "pictures"), "zip", pictures)


def main() -> None:
    """Measures and prints a table of ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--foregrounds", default="drawn:10")
    parser.add_argument("--backgrounds", default="drawn:10")
    parser.add_argument("--placements", type=int, default=5)
    parser.add_argument("--teacher", default="embedded", choices=depth.TEACHERS)
    parser.add_argument("--weights")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    logging.disable(logging.INFO)

    fields = {
        "foregrounds": arguments.foregrounds,
        "backgrounds": arguments.backgrounds,
        "placements": arguments.placements,
    }
    taught = fields | {"teacher": arguments.teacher, "weights": arguments.weights}
    configs = {
        "none": FgbgConfig("none", **fields, teacher="none"),
        "geometric": FgbgConfig("geometric", **taught, labelling="geometric"),
        "composite": FgbgConfig("composite", **taught),
    }
    studio = Studio(configs["composite"].settings)
    batch = np.stack(
        [
            studio.compose(composite).fgbg
            for composite, _ in zip(
                studio.recipe.iterate(),
                range(studio.teacher.batch_size),
                strict=False,
            )
        ]
    )

    def build(name: str):
        def way(folder: pathlib.Path) -> None:
            shards.open_studio.cache_clear()
            Builder(config=configs[name], data_dir=str(folder)).download_and_prepare()

        return way

    def load_and_look(folder: pathlib.Path | None, batches: int) -> None:
        del folder
        teacher = depth.load_teacher(arguments.teacher, arguments.weights)
        for _ in range(batches):
            teacher(batch)

    count = len(studio.recipe)
    ways = {
        "original": lambda folder: original(studio, folder),
        **{name: build(name) for name in configs},
        "teacher": lambda folder: load_and_look(folder, math.ceil(count / len(batch))),
        "loading": lambda folder: load_and_look(folder, 1),
    }
    load_and_look(None, 1)  # what TensorFlow does once in a process is done
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    processor: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(arguments.rounds):
        for name, way in ways.items():
            with tempfile.TemporaryDirectory() as folder:
                start, used = time.perf_counter(), time.process_time()
                way(pathlib.Path(folder))
                seconds[name].append(time.perf_counter() - start)
                processor[name].append(time.process_time() - used)

    print(f"{count} composites, {arguments.rounds} rounds, {os.cpu_count()} cores")
    print(
        f"{'':12}{'composites/s':>14}{'of the original':>17}{'of the teacher':>16}"
        f"{'loaded':>9}{'processor ms':>14}"
    )
    for name in list(ways)[:-1]:
        loading = seconds["loading"] if name in ("composite", "teacher") else None
        print(
            f"{name:12}{count / statistics.median(seconds[name]):14.1f}"
            f"{ratio(seconds['original'], seconds[name]):16.2f}x"
            f"{ratio(seconds['teacher'], seconds[name]):15.2f}x"
            + (
                f"{ratio(seconds['teacher'], seconds[name], loading):8.2f}x"
                if loading
                else f"{'':9}"
            )
            + f"{statistics.median(processor[name]) / count * 1e3:14.2f}"
        )
    print(f"loading: {statistics.median(seconds['loading']):.1f} s")


def ratio(
    others: list[float], own: list[float], less: list[float] | None = None
) -> float:
    """Returns the median of others / own over the rounds, less a part of both."""
    less = less or [0.0] * len(own)
    return statistics.median(
        (other - part) / (mine - part)
        for other, mine, part in zip(others, own, less, strict=True)
    )


if __name__ == "__main__":
    main()
