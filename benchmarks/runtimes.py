"""Milliseconds a frame of the network in each runtime, and how far answers are apart.

    pip install '.[onnx,litert]' openvino
    python benchmarks/runtimes.py --files runtimes/

Looks at a drawn street of several sizes with TensorFlow, ONNX Runtime, OpenVINO (from
the ONNX file) and LiteRT (float32, and weights of 8 bits), by one and by two threads.
Each combination is a process of its own on as many processors as it has threads; all
of one size and number of threads take turns, and the median of the best turn counts.
Files are made by `python -m trainer.export`, and used again if they lie in --files
already. Prints Markdown tables: milliseconds, the ratio to TensorFlow, and beside its
float32 the IoU of the masks and the mean relative difference of depth. Give a pair of a
camera by --background and --frame in place of the drawn street.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tqdm

from trainer.picture_files import read_picture
from trainer.resizing import resize
from trainer.shipped import DRAWN, WEIGHTS_FILE

SIZES = ("224x224", "480x640", "720x1280")
RUNTIMES = {  # what it is called, and the file that it opens
    "tensorflow": ("TensorFlow", ""),
    "onnx": ("ONNX Runtime", "network.onnx"),
    "openvino": ("OpenVINO, from ONNX", "network.onnx"),
    "litert": ("LiteRT float32", "network_{}_float32.tflite"),
    "litert_int8": ("LiteRT int8", "network_{}_int8.tflite"),
}


def main() -> None:
    """Measures and prints, or is one of the processes that are measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=pathlib.Path, default=pathlib.Path("runtimes"))
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), metavar="HxW")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--only", nargs="+", choices=RUNTIMES, default=list(RUNTIMES))
    parser.add_argument("--rounds", type=int, default=3, help="turns of each")
    parser.add_argument("--frames", type=int, default=9, help="of a turn")
    parser.add_argument(
        "--background", type=pathlib.Path, default=DRAWN / "street_empty.jpg"
    )
    parser.add_argument("--frame", type=pathlib.Path, default=DRAWN / "street_cars.jpg")
    parser.add_argument("--measured", help=argparse.SUPPRESS)  # a process of main's
    arguments = parser.parse_args()
    if arguments.measured:
        measure(arguments, arguments.measured)
        return
    make_files(arguments)
    for threads in arguments.threads:
        for size in arguments.sizes:
            print_table(arguments, threads, size)


def make_files(arguments: argparse.Namespace) -> None:
    """Makes the files that are missing."""
    arguments.files.mkdir(parents=True, exist_ok=True)
    wanted = {}
    for size in arguments.sizes:
        for runtime in arguments.only:
            name = RUNTIMES[runtime][1].format(size)
            if name.endswith(".onnx"):
                wanted[name] = []
            elif name:
                precision = "int8" if runtime.endswith("int8") else "float32"
                wanted[name] = [f"--size={size}", f"--precision={precision}"]
    for name, flags in tqdm.tqdm(wanted.items(), unit="file"):
        path = arguments.files / name
        if not path.exists():
            command = [sys.executable, "-m", "trainer.export", f"--out={path}", *flags]
            subprocess.run(command, check=True, stdout=sys.stderr)


def print_table(arguments: argparse.Namespace, threads: int, size: str) -> None:
    """Measures all runtimes for one size, in turns, and prints them."""
    found: dict[str, dict] = {}
    turns = [(r, name) for r in range(arguments.rounds) for name in arguments.only]
    for _, name in tqdm.tqdm(turns, unit="turn", desc=f"{size}, {threads} threads"):
        command = [
            *(sys.executable, __file__, f"--measured={name}", f"--sizes={size}"),
            *(f"--threads={threads}", f"--files={arguments.files}"),
            *(f"--frames={arguments.frames}", f"--frame={arguments.frame}"),
            f"--background={arguments.background}",
        ]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        answer = json.loads(done.stdout)
        if name not in found or answer["ms"] < found[name]["ms"]:
            found[name] = answer
    first = found[arguments.only[0]]
    print(f"\n{size}, threads: {threads}\n")
    print("| | ms | of the first | mask IoU | depth |\n|---|---|---|---|---|")
    for name, answer in found.items():
        print(
            f"| {RUNTIMES[name][0]} | {answer['ms']:.0f} | "
            f"{answer['ms'] / first['ms']:.2f} | {compare(answer, first)} |",
            flush=True,
        )


def compare(answer: dict, first: dict) -> str:
    """Compares answers, kept as they were saved, with those of the first runtime."""
    one, other = (np.load(each["answers"]) for each in (answer, first))
    new, wanted = one["mask"] >= 0.5, other["mask"] >= 0.5
    iou = (new & wanted).sum() / max(1, (new | wanted).sum())
    depth = np.mean(np.abs(one["depth"] / other["depth"] - 1))
    return f"{iou:.4f} | {depth:.2%}"


def measure(arguments: argparse.Namespace, runtime: str) -> None:
    """Measures one runtime in this process, and prints that as JSON."""
    (threads,), (size,) = arguments.threads, arguments.sizes
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    shape = tuple(map(int, size.split("x")))
    pair = [
        resize(read_picture(path), shape)
        for path in (arguments.background, arguments.frame)
    ]
    path = arguments.files / RUNTIMES[runtime][1].format(size)
    look = load(runtime, path, threads, shape)
    mask, depth = look(*pair)
    taken = []
    for _ in range(arguments.frames):
        begun = time.perf_counter()
        look(*pair)
        taken.append(time.perf_counter() - begun)
    kept = arguments.files / f"answers_{runtime}_{size}.npz"
    np.savez(kept, mask=mask, depth=depth)
    print(json.dumps({"ms": 1000 * float(np.median(taken)), "answers": str(kept)}))


def load(runtime: str, path: pathlib.Path, threads: int, size) -> Callable:
    """Loads the network in a runtime, as a function of a pair to mask and depth."""
    if runtime == "openvino":
        return load_openvino(path, threads, size)
    if runtime != "tensorflow":
        from trainer.runtimes import open_network

        return open_network(path, threads)
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    from trainer.predict import Predictor

    return Predictor(WEIGHTS_FILE)


def load_openvino(path: pathlib.Path, threads: int, size) -> Callable:
    """Loads the ONNX file in OpenVINO, in float32, for pictures of one size."""
    import openvino  # pyright: ignore[reportMissingImports]

    core = openvino.Core()
    model = core.read_model(path)
    model.reshape({name: [1, *size, 3] for name in ("bg", "fgbg")})
    compiled = core.compile_model(
        model,
        "CPU",
        {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"},
    )

    def look(background, frame):
        answers = compiled({"bg": background[None], "fgbg": frame[None]})
        return answers["mask"][0], answers["depth"][0]

    return look


if __name__ == "__main__":
    main()
