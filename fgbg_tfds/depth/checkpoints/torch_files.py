"""PyTorch checkpoints read without PyTorch and without running pickled code.

`torch.save` has two formats. The older, before PyTorch 1.6, is a row of pickles
followed by the raw storages; the newer is a zip of one pickle and one entry for
each storage. In both, the pickle names classes and functions that rebuild tensors.
Only those few are known here, each as an inert stand-in: any other name, hence any
pickle made to run code, is refused.
"""

from __future__ import annotations

import collections
import io
import math
import pickle
import zipfile
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

from fgbg_tfds.depth.checkpoints import sources
from fgbg_tfds.errors import InputError

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_LARGEST = 2**30  # Bytes of one unpacked checkpoint; a guard against zip bombs.
_STORAGE_TYPES = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "BFloat16Storage": np.dtype(ml_dtypes.bfloat16),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"),
    "CharStorage": np.dtype("i1"),
    "ByteStorage": np.dtype("u1"),
    "BoolStorage": np.dtype("?"),
}


class _Storage(NamedTuple):
    """A stretch of numbers in the file, known before it is read."""

    key: str
    dtype: np.dtype
    count: int


class _Tensor(NamedTuple):
    """A view into a storage; all in elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _StorageType:
    """Stands for `torch.FloatStorage` and its like."""

    __slots__ = ("dtype",)

    def __init__(self, dtype: np.dtype):
        self.dtype = dtype


class _RebuildTensor:
    """Stands for `torch._utils._rebuild_tensor` and `_rebuild_tensor_v2`."""

    __slots__ = ()

    def __call__(self, storage, offset, shape, strides, *ignored) -> _Tensor:
        return _Tensor(storage, offset, tuple(shape), tuple(strides))


class _RebuildParameter:
    """Stands for `torch._utils._rebuild_parameter`."""

    __slots__ = ()

    def __call__(self, tensor, *ignored) -> _Tensor:
        return tensor


def _stand_ins() -> dict[tuple[str, str], Any]:
    """Returns all that a pickle may name, made anew so that none can be altered."""
    return {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("torch._utils", "_rebuild_tensor"): _RebuildTensor(),
        ("torch._utils", "_rebuild_tensor_v2"): _RebuildTensor(),
        ("torch._utils", "_rebuild_parameter"): _RebuildParameter(),
        **{
            ("torch", name): _StorageType(dtype)
            for name, dtype in _STORAGE_TYPES.items()
        },
    }


class _Unpickler(pickle.Unpickler):
    """Unpickles names, numbers and tensors' places; refuses all else."""

    def __init__(self, file: io.BytesIO, name: str):
        super().__init__(file, encoding="utf-8")
        self._name = name
        self._allowed = _stand_ins()
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._allowed[module, name]
        except KeyError:
            raise InputError(
                f"{self._name} is refused: its pickle asks for {module}.{name}, "
                "and a checkpoint needs tensors and plain values only"
            ) from None

    def persistent_load(self, reference: Any) -> _Storage:
        # ('storage', type, key, device, number of elements[, view]).
        kind, storage_type, key, _, count, *view = reference
        if kind != "storage" or any(part is not None for part in view):
            raise pickle.UnpicklingError(f"a storage of kind {kind!r}")
        if not isinstance(count, int) or count < 0:
            raise pickle.UnpicklingError(f"a storage of {count!r} elements")
        storage = _Storage(str(key), storage_type.dtype, count)
        self.storages[storage.key] = storage
        return storage


def _unpickle(file: io.BytesIO, name: str) -> tuple[Any, dict[str, _Storage]]:
    """Unpickles one object from where `file` stands, and the storages it names."""
    try:
        unpickler = _Unpickler(file, name)
        return unpickler.load(), unpickler.storages
    except InputError:
        raise
    # A broken pickle can fail with nearly anything.
    except Exception as error:
        raise InputError(
            f"{name} is broken or no PyTorch checkpoint: {_sentence(error)}"
        ) from error


def _sentence(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _numbers(data: bytes, storage: _Storage, name: str) -> np.ndarray:
    """Returns the storage's elements [count] from exactly its bytes."""
    expected = storage.count * storage.dtype.itemsize
    if len(data) != expected:
        raise InputError(
            f"{name} is truncated or damaged: storage {storage.key!r} has "
            f"{len(data)} bytes where {expected} were expected"
        )
    return np.frombuffer(data, storage.dtype)


def _array(
    tensor: _Tensor, storages: dict[str, np.ndarray], name: str, key: str
) -> np.ndarray:
    """Returns the tensor as an array of its own, after checking its bounds."""
    numbers = storages.get(getattr(tensor.storage, "key", ""))
    if numbers is None:
        raise InputError(f"{name} is damaged: tensor {key!r} has no storage")
    shape, strides, offset = tensor.shape, tensor.strides, tensor.offset
    plain = all(isinstance(part, int) for part in (*shape, *strides, offset))
    size = math.prod(shape) if plain else 0
    last = (
        offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=False))
        if plain
        else -1
    )
    if (
        not plain
        or len(shape) != len(strides)
        or min((*shape, *strides, offset), default=0) < 0
        or size > len(numbers)
        or (size and last >= len(numbers))
    ):
        raise InputError(
            f"{name}: tensor {key!r} of shape {shape} does not fit into its "
            f"storage of {len(numbers)} elements"
        )
    if not size:
        return np.zeros(shape, numbers.dtype)
    step = numbers.dtype.itemsize
    view = np.lib.stride_tricks.as_strided(
        numbers[offset:], shape, [s * step for s in strides], writeable=False
    )
    return np.array(view)


def _read_rows(data: bytes, name: str) -> tuple[Any, dict[str, np.ndarray]]:
    """Reads the format before zip: pickles in a row, then the storages."""
    file = io.BytesIO(data)
    if _unpickle(file, name)[0] != _MAGIC:
        raise InputError(f"{name} is no PyTorch checkpoint: its magic number is wrong")
    protocol, _ = _unpickle(file, name)
    system, _ = _unpickle(file, name)
    if protocol != _PROTOCOL or not isinstance(system, dict):
        raise InputError(
            f"{name} has PyTorch's protocol {protocol!r}; expected {_PROTOCOL}"
        )
    if not system.get("little_endian", True):
        raise InputError(f"{name} is big-endian; expected a little-endian checkpoint")
    content, storages = _unpickle(file, name)
    keys, _ = _unpickle(file, name)
    if not isinstance(keys, list):
        raise InputError(f"{name} is damaged: the list of its storages is missing")
    numbers = {}
    for key in map(str, keys):
        if key not in storages:
            raise InputError(f"{name} is damaged: storage {key!r} is unknown")
        header = file.read(8)
        count = int.from_bytes(header, "little", signed=True)
        if len(header) != 8 or count != storages[key].count:
            raise InputError(
                f"{name} is truncated or damaged: storage {key!r} should hold "
                f"{storages[key].count} elements"
            )
        size = count * storages[key].dtype.itemsize
        numbers[key] = _numbers(file.read(size), storages[key], name)
    return content, numbers


def _read_zip(data: bytes, name: str) -> tuple[Any, dict[str, np.ndarray]]:
    """Reads the zip format: NAME/data.pkl and NAME/data/KEY."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
            pickles = [path for path in sizes if path.split("/")[1:] == ["data.pkl"]]
            if len(pickles) != 1:
                raise InputError(
                    f"{name} is no PyTorch checkpoint: it is a zip with "
                    f"{len(pickles)} entries data.pkl; expected one"
                )
            if sum(sizes.values()) > _LARGEST:
                raise InputError(f"{name} unpacks to more than {_LARGEST} bytes")
            folder = pickles[0].split("/")[0]
            order = f"{folder}/byteorder"
            if order in sizes and archive.read(order) != b"little":
                raise InputError(f"{name} is big-endian; expected little-endian")
            pickled = io.BytesIO(archive.read(pickles[0]))
            content, storages = _unpickle(pickled, name)
            numbers = {}
            for key, storage in storages.items():
                path = f"{folder}/data/{key}"
                if path not in sizes:
                    raise InputError(f"{name} is damaged: storage {key!r} is missing")
                numbers[key] = _numbers(archive.read(path), storage, name)
    except InputError:
        raise
    except sources.ZIP_ERRORS as error:
        raise InputError(f"{name} is a broken zip: {_sentence(error)}") from error
    return content, numbers


def read_state_dict(data: bytes, name: str) -> dict[str, Any]:
    """Reads a state dict saved by `torch.save` in either format.

    Args:
      data: The whole file.
      name: Name of the file, for errors.

    Returns:
      Arrays, and plain values as they are, by name. bfloat16 becomes float32.

    Raises:
      InputError: If the file is truncated, damaged, of another kind, or names
        anything but tensors and plain values.
    """
    read = _read_zip if data[:2] == b"PK" else _read_rows
    content, numbers = read(data, name)
    if not isinstance(content, dict):
        raise InputError(
            f"{name} holds a {type(content).__name__}; expected a state dict"
        )
    arrays = {}
    for key, value in content.items():
        if isinstance(value, _Tensor):
            value = _array(value, numbers, name, str(key))
            if value.dtype == ml_dtypes.bfloat16:
                value = value.astype(np.float32)
        arrays[str(key)] = value
    return arrays
