"""Composite beside geometric labelling, on the same composites.

    python benchmarks/labelling_comparison.py --foregrounds DIR --backgrounds DIR

Prints, for each way, how far the object stands out (the median depth of a ring
around it over its own median depth), how sharp its contour is (the same ratio
between the pixels one step out and one step in), and how the two ways rank the
depth of a picture (rank correlation, over all pixels and outside the object); and
draws examples side by side.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from PIL import Image, ImageFilter

from fgbg_tfds import colours, depth
from fgbg_tfds.compose import compute_composite_depth
from fgbg_tfds.contract import MASK_THRESHOLD
from fgbg_tfds.depth.measures.metrics import correlate_ranks
from fgbg_tfds.settings import Settings
from fgbg_tfds.writing.examples import Studio

RING = 17  # pixels: the ring reaches 8 pixels out
ROWS = 6


def grow(seen: np.ndarray, size: int) -> np.ndarray:
    """Dilates bool [H, W] by a square of `size` pixels, odd."""
    image = Image.fromarray(seen.astype(np.uint8) * 255)
    return np.asarray(image.filter(ImageFilter.MaxFilter(size))) > 0


def standing_out(metres: np.ndarray, seen: np.ndarray) -> tuple[float, float]:
    """Returns ring / object and one step out / one step in, medians of metres."""
    ring = grow(seen, RING) & ~seen
    out = grow(seen, 3) & ~seen
    inner = seen & grow(~seen, 3)
    return (
        float(np.median(metres[ring]) / np.median(metres[seen])),
        float(np.median(metres[out]) / np.median(metres[inner])),
    )


def main() -> None:
    """Compares both ways of labelling, prints and draws."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--foregrounds", default="drawn:10")
    parser.add_argument("--backgrounds", default="drawn:10")
    parser.add_argument("--teacher", default="embedded", choices=depth.TEACHERS)
    parser.add_argument("--weights")
    parser.add_argument("--count", type=int, default=200, help="composites looked at")
    parser.add_argument("--output", type=pathlib.Path, default="labelling.png")
    arguments = parser.parse_args()
    studio = Studio(
        Settings(
            foregrounds=arguments.foregrounds,
            backgrounds=arguments.backgrounds,
            teacher=arguments.teacher,
            weights=arguments.weights,
        )
    )
    every = [c for members in studio.recipe.splits.values() for c in members]
    chosen = every[:: max(1, len(every) // arguments.count)][: arguments.count]
    pasted = [studio.compose(composite) for composite in chosen]
    seen = [one.mask[..., 0] >= MASK_THRESHOLD for one in pasted]

    start = time.perf_counter()
    looked = studio.teacher(np.stack([one.fgbg for one in pasted]))
    seconds = {"composite": time.perf_counter() - start}
    start = time.perf_counter()
    empty = studio.teacher(np.stack([one.pixels for one in studio.backgrounds]))
    placed = [
        compute_composite_depth(empty[composite.background], one.mask)
        for composite, one in zip(chosen, pasted, strict=True)
    ]
    seconds["geometric"] = time.perf_counter() - start

    print(f"{len(chosen)} composites, teacher {arguments.teacher}")
    print(f"{'':12}{'ring/object':>13}{'at contour':>12}{'stands out':>12}{'s':>8}")
    for name, metres in (("composite", looked), ("geometric", placed)):
        ratios = np.array([standing_out(*p) for p in zip(metres, seen, strict=True)])
        ring, contour = np.median(ratios, 0)
        share = (ratios[:, 0] > 1).mean()
        print(f"{name:12}{ring:13.3f}{contour:12.3f}{share:12.0%}{seconds[name]:8.1f}")
    pairs = list(zip(looked, placed, seen, strict=True))
    whole = [correlate_ranks(a.ravel(), b.ravel()) for a, b, _ in pairs]
    outside = [correlate_ranks(a[~inside], b[~inside]) for a, b, inside in pairs]
    print(
        f"rank correlation of the two: {np.median(whole):.3f} over all pixels, ", end=""
    )
    print(f"{np.median(outside):.3f} outside the object (medians)")

    rows = [
        np.hstack([pasted[i].fgbg, *map(colours.colour_depth, (looked[i], placed[i]))])
        for i in range(0, len(chosen), max(1, len(chosen) // ROWS))
    ][:ROWS]
    Image.fromarray(np.vstack(rows)).save(arguments.output)
    print(arguments.output)


if __name__ == "__main__":
    main()
