"""Converting networks to the formats of other runtimes."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from importlib import util

import tensorflow as tf
from tensorflow.python.framework import convert_to_constants

from trainer.errors import UserError, summarise
from trainer.export.formats import Format
from trainer.extras import import_extra
from trainer.registration import build_portably

OPSET = 17  # of ONNX; the last one that tf2onnx is tested with is 18


def require_converter(kind: Format) -> None:
    """Checks that what a format needs is installed, without loading it.

    Raises:
      UserError: If it is not.
    """
    if kind.sized:
        needed, extra = ("ai_edge_litert",), "litert"
    else:
        needed, extra = ("tf2onnx", "onnxruntime"), "onnx"
    for module in needed:
        if util.find_spec(module) is None:
            import_extra(module, extra, kind.name)  # fails, with the right words


def convert(answer: Callable, kind: Format, size: tuple[int, int]) -> bytes:
    """Converts a network.

    Args:
      answer: Its function, of `make_portable_answer`.
      kind: The format.
      size: Height and width of the pictures that it is made for, if `kind` is sized.

    Returns:
      The file.

    Raises:
      UserError: If it cannot be converted.
    """
    try:
        if kind.sized:
            return _convert_to_litert(answer, kind, size)
        return _convert_to_onnx(answer)
    except (ValueError, TypeError, RuntimeError, tf.errors.OpError) as error:
        raise UserError(
            f"the network cannot be converted to {kind.name}: {summarise(error)}"
        ) from error


def _convert_to_onnx(answer: Callable) -> bytes:
    # Else it copies the whole graph before each of its fifty passes.
    os.environ["TF2ONNX_CATCH_ERRORS"] = "FALSE"
    tf2onnx = import_extra("tf2onnx", "onnx", "onnx")
    # It warns of shapes that it does not know, as those of pictures of any size.
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    signature = _specify((None, None, None))
    with build_portably():
        function = tf.function(answer, signature, autograph=False)
        model, _ = tf2onnx.convert.from_function(function, signature, opset=OPSET)
    return model.SerializeToString()


def _convert_to_litert(answer: Callable, kind: Format, size: tuple[int, int]) -> bytes:
    def answer_in_order(bg, fgbg):  # names of outputs are lost, their order is not
        answers = answer(bg, fgbg)
        return answers["mask"], answers["depth"]

    with build_portably():
        function = tf.function(answer_in_order, _specify((1, *size)), autograph=False)
        concrete = function.get_concrete_function()
    # With variables, the converter leaves the weights out without a word.
    frozen = convert_to_constants.convert_variables_to_constants_v2(concrete)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    if kind.precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind.precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


def _specify(shape: tuple[int | None, ...]) -> list[tf.TensorSpec]:
    return [tf.TensorSpec([*shape, 3], tf.uint8, name) for name in ("bg", "fgbg")]
