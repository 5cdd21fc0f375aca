"""`python -m fgbg_tfds.depth evaluate`: measures a teacher beside baselines."""

from __future__ import annotations

import argparse
import os
import pathlib
import time

import numpy as np

from fgbg_tfds.compose import list_pictures, paste_at
from fgbg_tfds.depth import PRECISIONS, TEACHERS, load_teacher
from fgbg_tfds.depth.embedded.scenes import HELD_OUT, draw_scenes
from fgbg_tfds.depth.embedded.training import Schedule
from fgbg_tfds.depth.measures import (
    NAMES,
    MarkedPair,
    MeasuredPhoto,
    average_metrics,
    check_pairs,
    compute_object_ratio,
    judge_by_row,
    judge_pairs,
    read_measured,
    read_pairs,
    read_trimmed,
    stretch,
)
from fgbg_tfds.errors import InputError
from fgbg_tfds.files import parse_path
from fgbg_tfds.picture_files import lay_on_black, open_picture
from fgbg_tfds.procedural import draw_street

_PICTURES = pathlib.Path("../shared/pictures")  # beside the repository
_COMPOSED = "streets_cars"  # the pictures of these that composites are made of
_SIZE = 160  # pixels of a held-out scene's side
_PASTED = Schedule.pasted  # as in training
FITTED = 300  # scenes that the baselines are fitted on
_MEASURED_NAMES = ("rank", "abs_rel", "rmse_log", "silog", "delta_1")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("--teacher", choices=TEACHERS, default="embedded")
    parser.add_argument("--weights", default=None, help="as for load_teacher")
    parser.add_argument("--precision", choices=PRECISIONS, default="auto")
    parser.add_argument(
        "--scenes",
        type=int,
        default=300,
        help="held-out scenes to measure on; 0 leaves drawn scenes out",
    )
    parser.add_argument(
        "--measured",
        type=parse_path,
        default=None,
        help="folder of photos with measured depth, SOURCE_NAME.jpg and "
        "SOURCE_NAME_depth.png in 1/256 m, such as ../shared/pictures/measured_depth",
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=os.cpu_count() or 1,
        help="processes that draw scenes",
    )
    parser.add_argument(
        "--marks",
        type=parse_path,
        default=None,
        help="CSV of marked pairs, such as tests/fgbg_tfds/depth/marked_pairs.csv",
    )
    parser.add_argument(
        "--pictures",
        type=parse_path,
        default=None,
        help=f"folder of the real pictures (default: {_PICTURES}, if it is there)",
    )


def fit_baselines(logs: np.ndarray) -> dict[str, np.ndarray]:
    """Fits two baselines that do not look at the picture.

    Args:
      logs: float [N, H, W], log metres of training scenes.

    Returns:
      Depth in metres, float32 [H, W], of 'mean map' (the mean log depth of every
      pixel) and 'row prior' (of every row).
    """
    mean = np.float32(logs).mean(0)
    row = np.broadcast_to(mean.mean(1, keepdims=True), mean.shape)
    return {"mean map": np.exp(mean), "row prior": np.exp(row)}


def _print_table(title: str, rows: dict[str, dict[str, float]]) -> None:
    print(f"\n{title}\n{'':<12}" + "".join(f"{name:>10}" for name in NAMES))
    for label, values in rows.items():
        print(f"{label:<12}" + "".join(f"{values[name]:>10.3f}" for name in NAMES))


def run(arguments: argparse.Namespace) -> None:
    """Prints the tables.

    Args:
      arguments: The arguments of `add_arguments`.

    Raises:
      InputError: If a flag, the weights or the marks cannot be used.
    """
    if arguments.scenes < 0:
        raise InputError(f"--scenes is {arguments.scenes}; use 0 or more")
    if arguments.workers < 1:
        raise InputError(f"--workers is {arguments.workers}; use 1 or more")
    # All input is read first, since the scenes take minutes.
    folder = _find_pictures(arguments)
    pairs = [] if arguments.marks is None else read_pairs(arguments.marks)
    measured = read_measured(arguments.measured) if arguments.measured else []
    composites = None
    if folder:
        check_pairs(pairs, folder)
        if (folder / _COMPOSED).is_dir():
            composites = make_composites(folder / _COMPOSED)
    teacher = load_teacher(arguments.teacher, arguments.weights, arguments.precision)
    card = teacher.card
    print(
        f"{card.name}, weights {card.weights} ({card.weights_sha256[:12]}), "
        f"{card.precision}, fed {card.feed_size[0]} x {card.feed_size[1]}"
    )
    _measure_speed(teacher)
    if arguments.scenes or measured:
        count = min(arguments.scenes, FITTED) or FITTED
        known = draw_scenes(range(count), _SIZE, _PASTED, arguments.workers)[1]
        baselines = fit_baselines(known)
        if measured:
            _measure_photos(teacher, measured, baselines)
        if arguments.scenes:
            _measure_scenes(teacher, arguments.scenes, arguments.workers, baselines)
    if not folder:
        print(f"\nno folder {_PICTURES}: nothing measured on real pictures")
        return
    if pairs:
        _measure_pairs(teacher, pairs, folder)
    if composites:
        _measure_composites(teacher, *composites)
    else:
        print(f"\nno folder {folder / _COMPOSED}: no composites measured")


def _find_pictures(arguments: argparse.Namespace) -> pathlib.Path | None:
    """Finds the folder of real pictures; None if it is not there, nor asked for."""
    folder = arguments.pictures or _PICTURES
    if folder.is_dir():
        if (
            arguments.pictures
            and not arguments.marks
            and not (folder / _COMPOSED).is_dir()
        ):
            raise InputError(
                f"--pictures {folder} holds no folder {_COMPOSED}, and there are no "
                "--marks; give another folder, or the marks that were made on this one"
            )
        return folder
    if arguments.pictures:
        raise InputError(f"--pictures {folder} is no folder; give that of the pictures")
    if arguments.marks:
        raise InputError(
            f"--marks {arguments.marks} needs the pictures that it was made on; give "
            f"their folder by --pictures, since {folder} is not there"
        )
    return None


def _measure_speed(teacher, count: int = 64, side: int = 224) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    teacher(images)  # Tracing is no part of the speed.
    started = time.process_time()
    teacher(images)
    speed = count / (time.process_time() - started)
    print(f"{speed:.0f} pictures of {side} x {side} per second of processor time")


def _measure_photos(
    teacher, measured: list[MeasuredPhoto], baselines: dict[str, np.ndarray]
) -> None:
    """Prints the metrics on photos with measured depth, by source and over all."""
    estimates: dict[str, list[np.ndarray]] = {"teacher": []}
    for photo in measured:
        estimates["teacher"].append(teacher(photo.image[None])[0])
        for name, depth in baselines.items():
            stretched = stretch(depth, photo.depth.shape)
            estimates.setdefault(name, []).append(stretched)
    columns = ("photos", *_MEASURED_NAMES, "unscaled")
    print(
        "\nphotos with measured depth, after median scaling; unscaled is "
        f"abs_rel without it\n{'':<24}" + "".join(f"{name:>10}" for name in columns)
    )
    sources = dict.fromkeys(photo.source for photo in measured)
    for source in (*sources, "all"):
        chosen = [
            index
            for index, photo in enumerate(measured)
            if source in (photo.source, "all")
        ]
        truths = [measured[index].depth for index in chosen]
        for label, depths in estimates.items():
            seen = [depths[index] for index in chosen]
            scaled = average_metrics(seen, truths, True)
            plain = average_metrics(seen, truths, False)["abs_rel"]
            values = [*(scaled[name] for name in _MEASURED_NAMES), plain]
            print(
                f"{source:<12}{label:<12}{len(chosen):>10}"
                + "".join(f"{value:>10.3f}" for value in values)
            )


def _measure_scenes(teacher, count: int, workers: int, baselines) -> None:
    seeds = range(HELD_OUT, HELD_OUT + count)
    images, logs = draw_scenes(seeds, _SIZE, _PASTED, workers)
    _print_comparison(
        f"{count} held-out scenes as in training", teacher, images, logs, baselines
    )
    streets = [draw_street(seed, _SIZE) for seed in seeds[: max(1, count // 5)]]
    images = np.stack([street.image for street in streets])
    logs = np.log([street.depth for street in streets])
    title = f"{len(streets)} held-out streets of draw_street"
    _print_comparison(title, teacher, images, logs, baselines)


def _print_comparison(title: str, teacher, images, logs, baselines) -> None:
    """Prints the tables of a set of scenes, as they are and scaled."""
    truth = np.exp(np.float32(logs))
    estimates = {"teacher": teacher(images)}
    for name, depth in baselines.items():
        estimates[name] = np.broadcast_to(depth, truth.shape)
    for note, scaled in (("as they are", False), ("after median scaling", True)):
        rows = {
            label: average_metrics(estimate, truth, scaled)
            for label, estimate in estimates.items()
        }
        _print_table(f"{title}, {note}", rows)


def _measure_pairs(teacher, pairs: list[MarkedPair], pictures: pathlib.Path) -> None:
    right, prior = judge_pairs(teacher, pairs, pictures), judge_by_row(pairs)
    composite = np.array([bool(pair.cutout) for pair in pairs])
    indoor = np.array(["rooms" in pair.picture for pair in pairs])
    print(f"\n{'marked pairs':<28}{'pairs':>8}{'teacher':>10}{'row prior':>11}")
    groups = {
        "all": np.ones(len(pairs), bool),
        "streets": ~composite & ~indoor,
        "rooms": indoor,
        "composites": composite,
        "those the row prior misses": ~prior,
    }
    for label, chosen in groups.items():
        if chosen.any():
            print(
                f"{label:<28}{chosen.sum():>8}{100 * right[chosen].mean():>9.1f}%"
                f"{100 * prior[chosen].mean():>10.1f}%"
            )


def make_composites(folder: pathlib.Path, count: int = 40) -> tuple:
    """Pastes cut-outs of a folder at random places, as in a data set.

    Args:
      folder: With 'backgrounds' and 'foregrounds'.
      count: Number of composites.

    Returns:
      Lists of composites, uint8 [H, W, 3], and alphas, uint8 [H, W].

    Raises:
      InputError: If a folder or a picture cannot be read.
    """
    backgrounds, foregrounds = (
        sorted(map(pathlib.Path, list_pictures(folder / name).values()))
        for name in ("backgrounds", "foregrounds")
    )
    rng = np.random.default_rng(0)
    images, alphas = [], []
    for index in range(count):
        path = backgrounds[index % len(backgrounds)]
        picture = np.asarray(lay_on_black(open_picture(path)).resize((224, 224)))
        cutout = read_trimmed(foregrounds[rng.integers(len(foregrounds))], 80)
        left = int(rng.integers(0, 224 - cutout.shape[1] + 1))
        top = int(rng.integers(0, 224 - cutout.shape[0] + 1))
        pasted = paste_at(picture, cutout, left, top)
        images.append(pasted.fgbg)
        alphas.append(pasted.mask[..., 0])
    return images, alphas


def _measure_composites(
    teacher, images: list[np.ndarray], alphas: list[np.ndarray]
) -> None:
    ratios = [
        compute_object_ratio(teacher(image[None])[0], alpha)
        for image, alpha in zip(images, alphas, strict=True)
    ]
    rows = np.linspace(2, 1, 224)[:, None] * np.ones((1, 224))
    prior = [compute_object_ratio(rows, alpha) for alpha in alphas]
    print(
        f"\npasted object nearer than the ring around it in "
        f"{sum(ratio > 1 for ratio in ratios)} of {len(ratios)} composites "
        f"(row prior: {sum(ratio > 1 for ratio in prior)}); median ratio of ring to "
        f"object {np.median(ratios):.2f}"
    )
