"""TensorFlow Serving's JSON: questions to arrays, and answers from them.

https://www.tensorflow.org/tfx/serving/api_rest, version 1.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
import tensorflow as tf

from trainer.serve.limits import Refusal
from trainer.serve.servable import DEFAULT, Servable, Signature

_BYTES = "_bytes"  # the end of the names of outputs that are no text
_DTYPES = {tf.float32: "FLOAT", tf.float64: "DOUBLE"}  # others are named as they are
_B64 = '{"b64": "…"}'


@dataclasses.dataclass(frozen=True)
class Question:
    """A request to predict.

    Attributes:
      signature: The signature that is asked.
      given: Its inputs by name: a list of N bytes objects for strings, else an array
        [N, …].
      files: The picture files among them, by what messages call them.
      rows: Whether it came in rows, `instances`, rather than in columns, `inputs`.
      number: N.
    """

    signature: Signature
    given: Mapping[str, Any]
    files: Mapping[str, bytes]
    rows: bool
    number: int


def parse_question(body: bytes, servable: Servable) -> Question:
    """Parses a request to predict.

    Args:
      body: JSON with `instances` or `inputs`, and `signature_name` if it is not
        'serving_default'.
      servable: The network that is asked.

    Raises:
      Refusal: If it is no such request.
    """
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refusal(400, f"JSON parse error: {error}") from error
    if not isinstance(parsed, dict) or ("instances" in parsed) == ("inputs" in parsed):
        raise Refusal(
            400,
            "give a JSON object with either 'instances' (rows) or 'inputs' (columns)",
        )
    name = parsed.get("signature_name", DEFAULT)
    if not isinstance(name, str) or name not in servable.signatures:
        raise Refusal(
            400,
            f"signature_name: {str(name)[:80]!r} is none of "
            f"{', '.join(sorted(servable.signatures))}",
        )
    signature = servable.signatures[name]
    rows = "instances" in parsed
    if rows:
        columns = _turn_rows(parsed["instances"], signature)
    else:
        columns = _check_columns(parsed["inputs"], signature)
    given, files = {}, {}
    for key, spec in signature.inputs.items():
        places = [
            f"instances[{index}].{key}" if rows else f"inputs.{key}[{index}]"
            for index in range(len(columns[key]))
        ]
        if spec.dtype == tf.string:
            given[key] = [
                _decode(place, value)
                for place, value in zip(places, columns[key], strict=True)
            ]
            files |= dict(zip(places, given[key], strict=True))
        else:
            given[key] = _make_array(key, columns[key], spec)
    numbers = {key: len(values) for key, values in given.items()}
    if len(set(numbers.values())) > 1:
        counted = ", ".join(f"{count} {key}" for key, count in numbers.items())
        raise Refusal(400, f"inputs: {counted}; give as many of each")
    number = next(iter(numbers.values()))
    return Question(signature, given, files, rows, number)


def format_answer(question: Question, answers: Mapping[str, np.ndarray]) -> bytes:
    """Formats the answer to a question, in rows or columns as it came.

    Args:
      question: The question.
      answers: Arrays [N, …] by the names of the signature's outputs; strings are
        bytes objects.
    """
    columns = {
        name: [_encode(name, value) for value in values]
        if values.dtype == object
        else values
        for name, values in answers.items()
    }
    if question.rows:
        rows = [
            {name: values[index] for name, values in columns.items()}
            for index in range(question.number)
        ]
        answer = {"predictions": rows}
    else:
        answer = {"outputs": columns}
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)


def describe_signatures(name: str, servable: Servable) -> dict[str, Any]:
    """Describes a network's signatures, as `/metadata` answers.

    Args:
      name: The model's name.
      servable: The network.
    """
    signatures = {
        key: {
            "inputs": _describe_tensors(signature.inputs),
            "outputs": _describe_tensors(signature.outputs),
            "method_name": "tensorflow/serving/predict",
        }
        for key, signature in servable.signatures.items()
    }
    return {
        "model_spec": {
            "name": name,
            "signature_name": "",
            "version": str(servable.number),
        },
        "metadata": {"signature_def": {"signature_def": signatures}},
    }


def _turn_rows(rows: object, signature: Signature) -> dict[str, list]:
    wanted = ", ".join(sorted(signature.inputs))
    if not isinstance(rows, list):
        raise Refusal(400, f"instances: give a list of objects with {wanted}")
    for index, row in enumerate(rows):
        if not isinstance(row, dict) or row.keys() != signature.inputs.keys():
            raise Refusal(400, f"instances[{index}]: give an object with {wanted}")
    return {name: [row[name] for row in rows] for name in signature.inputs}


def _check_columns(columns: object, signature: Signature) -> dict[str, list]:
    if (
        not isinstance(columns, dict)
        or columns.keys() != signature.inputs.keys()
        or not all(isinstance(column, list) for column in columns.values())
    ):
        wanted = ", ".join(sorted(signature.inputs))
        raise Refusal(400, f"inputs: give an object with a list for each of {wanted}")
    return columns


def _decode(place: str, value: object) -> bytes:
    if not isinstance(value, dict) or not isinstance(value.get("b64"), str):
        raise Refusal(400, f"{place}: is no {_B64}; give a picture file in base64")
    try:
        return base64.b64decode(value["b64"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refusal(400, f"{place}: is no base64 ({error})") from error


def _make_array(name: str, values: list, spec: tf.TensorSpec) -> np.ndarray:
    shape = spec.shape.as_list()
    sides = ", ".join("?" if side is None else str(side) for side in shape)
    wanted = f"{name}: give numbers of the shape [{sides}]"
    try:
        array = np.array(values)
    except ValueError as error:  # not all of one shape
        raise Refusal(400, wanted) from error
    if array.ndim == len(shape) and array.size == 0:
        return array.astype(spec.dtype.as_numpy_dtype)
    whole = array.dtype.kind in "iu"
    fits = array.ndim == len(shape) and all(
        side in (None, there) for side, there in zip(shape, array.shape, strict=True)
    )
    if not fits or not (whole or array.dtype.kind == "f"):
        raise Refusal(400, wanted)
    if spec.dtype.is_integer and not (
        whole and spec.dtype.min <= array.min() and array.max() <= spec.dtype.max
    ):
        bounds = f"{spec.dtype.min} to {spec.dtype.max}"
        raise Refusal(400, f"{name}: give whole numbers, {bounds}")
    return array.astype(spec.dtype.as_numpy_dtype)


def _encode(name: str, value: bytes) -> object:
    if name.endswith(_BYTES):
        return {"b64": base64.b64encode(value).decode()}
    return value.decode("utf-8", "replace")


def _describe_tensors(specs: Mapping[str, tf.TensorSpec]) -> dict[str, Any]:
    return {
        name: {
            "dtype": f"DT_{_DTYPES.get(spec.dtype, spec.dtype.name.upper())}",
            "tensor_shape": {
                "dim": [
                    {"size": str(-1 if side is None else side), "name": ""}
                    for side in spec.shape.as_list()
                ],
                "unknown_rank": False,
            },
            "name": name,
        }
        for name, spec in specs.items()
    }
