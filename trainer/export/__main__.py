"""Writes a trained network into one file for another runtime than TensorFlow.

python -m trainer.export --out=network.onnx
python -m trainer.export --model=runs/cpu --out=network.tflite --size=480x640
python -m trainer.export --out=small.tflite --size=256x256 --precision=int8

The file is run in its runtime, and compared with the network, before it is written.
"""

from __future__ import annotations

import argparse
import os
import pathlib

from trainer.command_line import make_main, start
from trainer.errors import UserError
from trainer.export.formats import FORMATS, Format
from trainer.files import expand, require_writable
from trainer.runtimes import LITERT, SUFFIXES
from trainer.settings import parse_size
from trainer.shipped import DRAWN, PRETRAINED

COMPARED = ("street_empty.jpg", "street_cars.jpg")


def make_parser() -> argparse.ArgumentParser:
    """Makes the parser of the command line."""
    parser = argparse.ArgumentParser(
        "python -m trainer.export",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--model",
        default=PRETRAINED,
        metavar="PATH",
        help="workdir of a run, such as runs/cpu, or a file of weights, *.npz "
        f"(default: {PRETRAINED}, the network that comes with the package)",
    )
    parser.add_argument(
        "--out",
        required=True,
        metavar="FILE",
        help="file to write: *.onnx, for pictures of any size, or *.tflite",
    )
    parser.add_argument(
        "--size",
        metavar="HxW",
        help="height and width of the pictures that a *.tflite is made for, as 480x640",
    )
    parser.add_argument(
        "--precision",
        choices=("float32", "float16", "int8"),
        default="float32",
        help="of the weights of a *.tflite (default: float32)",
    )
    for name, words in (("background", "empty scene"), ("frame", "frame")):
        parser.add_argument(
            f"--{name}",
            metavar="PICTURE",
            help=f"{words} to compare answers for (default: a drawn street)",
        )
    return parser


def run(arguments: argparse.Namespace) -> None:
    """Converts a network as the command line asks.

    Raises:
      UserError: If something that is given cannot be used, or the converted network
        does not answer as the network does.
    """
    out = expand(arguments.out, "out")
    kind = _choose_format(arguments, out)
    size = (0, 0)
    if kind.sized:
        size = parse_size("size", arguments.size)
    pair = _find_pair(arguments)
    require_writable(out.parent, "out")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    from trainer.export.conversion import require_converter
    from trainer.export.portable import make_portable_answer
    from trainer.export.runtime_files import write_runtime_file
    from trainer.export.signatures import Signatures
    from trainer.picture_files import read_picture
    from trainer.pretrained import find_network

    require_converter(kind)
    bg, fgbg = (read_picture(path) for path in pair)
    if bg.shape != fgbg.shape:
        raise UserError(
            f"{pair[0]} and {pair[1]} have different sizes; give one camera's"
        )
    network, own = find_network(arguments.model, "model")
    network.fold()
    answer = make_portable_answer(network, own, own)
    reference = Signatures(network, own, own).answer
    write_runtime_file(out, answer, kind, size, reference, [(bg, fgbg)])


def _choose_format(arguments: argparse.Namespace, out: pathlib.Path) -> Format:
    if out.suffix not in SUFFIXES:
        raise UserError(
            f"--out={out}: give a name that ends in {' or '.join(SUFFIXES)}, as the "
            "runtimes want"
        )
    if out.suffix != LITERT:
        for flag, unused in (
            ("size", arguments.size is None),
            ("precision", arguments.precision == "float32"),
        ):
            if not unused:
                raise UserError(
                    f"--{flag}={getattr(arguments, flag)} is for a file *{LITERT}; "
                    f"leave it out for --out={out}, which takes pictures of any size "
                    "and has float32"
                )
    elif arguments.size is None:
        raise UserError(
            f"--out={out}: a file *{LITERT} is made for one size; add that of your "
            "camera's pictures, or of smaller ones, as --size=480x640"
        )
    return next(
        each
        for each in FORMATS.values()
        if each.suffix == out.suffix and each.precision == arguments.precision
    )


def _find_pair(arguments: argparse.Namespace) -> list[pathlib.Path]:
    given = [(arguments.background, "background"), (arguments.frame, "frame")]
    if arguments.background is None and arguments.frame is None:
        return [DRAWN / name for name in COMPARED]
    for value, flag in given:
        if value is None:
            raise UserError(f"--{flag} is missing; pictures are compared in pairs")
    return [expand(value, flag) for value, flag in given]


main = make_main(make_parser, run)


if __name__ == "__main__":
    start(main)
