"""Ways to run monodepth2 on the CPU, to be measured side by side.

Each is a function of the folder with the weights that returns how to label: a function
from uint8 [N, 224, 224, 3] to metres, float32 [N, 224, 224], at a feed of 640 x 192.
Libraries are loaded with the network, so that a process has only those it measures.
`matmul` has the place of a network to tell the machine's peak.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable

import numpy as np

HEIGHT, WIDTH, SIDE = 192, 640, 224
MATRIX = 2048  # Side of the matrices that the peak is measured with.

Run = Callable[[np.ndarray], np.ndarray]


def cores() -> int:
    """Returns how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def ours(precision: str) -> Callable[[pathlib.Path], Run]:
    """Returns how to load our teacher."""

    def make(folder: pathlib.Path) -> Run:
        from fgbg_tfds.depth import load_teacher

        return load_teacher("monodepth2", folder, precision)

    return make


def _resize(image: np.ndarray) -> np.ndarray:
    from PIL import Image

    resized = Image.fromarray(image).resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    return np.asarray(resized)


def pytorch_loop(folder: pathlib.Path) -> Run:
    """Runs as the original: eager, float32, one picture at a time, all four scales."""
    import pytorch_monodepth2
    import torch
    from torch.nn import functional

    torch.set_num_threads(cores())
    network = pytorch_monodepth2.load(folder)

    def run(images: np.ndarray) -> np.ndarray:
        metres = []
        with torch.no_grad():
            for image in images:
                feed = torch.from_numpy(_resize(image).copy()).permute(2, 0, 1)
                disparity = network(feed[None].float() / 255)
                metres.append(_torch_metres(functional, disparity).numpy()[0])
        return np.stack(metres)

    return run


def pytorch_bfloat16(folder: pathlib.Path) -> Run:
    """PyTorch's strongest eager setting: bfloat16, channels_last, batches of 8."""
    import pytorch_monodepth2
    import torch
    from torch.nn import functional

    torch.set_num_threads(cores())
    network = pytorch_monodepth2.load(folder, scales=(0,))
    network = network.to(torch.bfloat16).to(memory_format=torch.channels_last)

    def run(images: np.ndarray) -> np.ndarray:
        metres = []
        with torch.inference_mode():
            for start in range(0, len(images), 8):
                feed = np.stack([_resize(image) for image in images[start : start + 8]])
                # A view of [N, H, W, 3] is channels_last already.
                feed = torch.from_numpy(feed).permute(0, 3, 1, 2).float() / 255
                disparity = network(feed.to(torch.bfloat16)).float()
                metres.append(_torch_metres(functional, disparity).numpy())
        return np.concatenate(metres)

    return run


def _torch_metres(functional, disparity):
    resized = functional.interpolate(
        disparity, (SIDE, SIDE), mode="bilinear", align_corners=False
    )
    return (5.4 / (0.01 + 9.99 * resized))[:, 0]


def openvino(precision: str) -> Callable[[pathlib.Path], Run]:
    """Returns how to load OpenVINO with as many requests at once as it likes."""

    def make(folder: pathlib.Path) -> Run:
        import openvino
        import pytorch_monodepth2
        import torch
        from torch.nn import functional

        torch.set_num_threads(1)
        network = pytorch_monodepth2.load(folder, scales=(0,))
        example = torch.zeros(1, 3, HEIGHT, WIDTH)
        model = openvino.convert_model(network, example_input=example)
        model.reshape([1, 3, HEIGHT, WIDTH])
        options = {
            "PERFORMANCE_HINT": "THROUGHPUT",
            "INFERENCE_PRECISION_HINT": precision,
        }
        compiled = openvino.Core().compile_model(model, "CPU", options)
        queue = openvino.AsyncInferQueue(compiled)

        def run(images: np.ndarray) -> np.ndarray:
            metres = np.zeros((len(images), SIDE, SIDE), np.float32)

            def finish(request, index: int) -> None:
                disparity = torch.from_numpy(request.get_output_tensor().data.copy())
                metres[index] = _torch_metres(functional, disparity)[0].numpy()

            queue.set_callback(finish)
            for index, image in enumerate(images):
                feed = _resize(image).transpose(2, 0, 1)[None].astype(np.float32) / 255
                queue.start_async(feed, index)
            queue.wait_all()
            return metres

        return run

    return make


def matmul(precision: str) -> Callable[[pathlib.Path], Run]:
    """Returns a product of large matrices as often as there are pictures."""

    def make(folder: pathlib.Path) -> Run:
        import tensorflow as tf

        a = tf.cast(tf.random.normal([MATRIX, MATRIX]), precision)
        product = tf.function(lambda: tf.linalg.matmul(a, a)[:1, :1])

        def run(images: np.ndarray) -> np.ndarray:
            for _ in images:
                product().numpy()
            return images

        return run

    return make


def multiplications() -> int:
    """Returns the multiplications that the original makes for one picture."""
    from fgbg_tfds.depth.monodepth2 import tensors as network

    total = 0
    for name, _, shape in network.encoder_convolutions():
        layer = int(name[13]) if name.startswith("encoder.layer") else 0
        total += np.prod(shape) * HEIGHT * WIDTH // 4 ** (layer + 1 if layer else 1)
    for name, shape in network.decoder_convolutions():
        index = int(name.split(".")[1])
        if index <= 10:
            total += np.prod(shape) * HEIGHT * WIDTH // 4 ** (5 - (index + 1) // 2)
    return int(total)
