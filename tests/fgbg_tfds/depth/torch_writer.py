"""Writes PyTorch's two checkpoint formats without PyTorch, for tests."""

import io
import pickle
import struct
import zipfile

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
_TYPES = {"f4": "FloatStorage", "f8": "DoubleStorage", "i8": "LongStorage"}


def _text(value):
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def _tuple(*parts):
    return b"(" + b"".join(parts) + b"t"


def _value(value):
    """Pickles a plain value, without the frame of a pickle of its own."""
    if value is None:
        return b"N"
    if isinstance(value, bool):
        return b"\x88" if value else b"\x89"
    if isinstance(value, int):
        return b"\x8a\x08" + struct.pack("<q", value)
    return _text(value)


def _global(module, name):
    return f"c{module}\n{name}\n".encode()


def layout(array):
    """Returns a tensor's offset, shape and strides in its storage, in elements."""
    return 0, array.shape, [step // array.itemsize for step in array.strides]


def _tensor(array, key, *view):
    """Pickles a tensor that is the whole of storage `key`."""
    offset, shape, strides = layout(array)
    storage = _tuple(
        _text("storage"),
        _global("torch", _TYPES[array.dtype.str[1:]]),
        _text(key),
        _text("cpu"),
        _value(array.size),
        *view,
    )
    return b"".join(
        [
            _global("torch._utils", "_rebuild_tensor_v2"),
            b"(",
            storage + b"Q",
            _value(offset),
            _tuple(*map(_value, shape)),
            _tuple(*map(_value, strides)),
            _value(False),
            _global("collections", "OrderedDict") + b")R",
            b"tR",
        ]
    )


def _state_dict(state, *view):
    parts = [b"\x80\x02", _global("collections", "OrderedDict"), b")R("]
    for index, (name, value) in enumerate(state.items()):
        parts.append(_text(name))
        is_array = isinstance(value, np.ndarray)
        parts.append(_tensor(value, str(index), *view) if is_array else _value(value))
    return b"".join([*parts, b"u."])


def write_rows(state):
    """Returns a checkpoint in the format before zip: pickles in a row, then numbers."""
    system = {
        "protocol_version": 1001,
        "little_endian": True,
        "type_sizes": {"short": 2, "int": 4, "long": 4},
    }
    keys = [str(i) for i, v in enumerate(state.values()) if isinstance(v, np.ndarray)]
    parts = [pickle.dumps(part, 2) for part in (MAGIC, 1001, system)]
    parts += [_state_dict(state, b"N"), pickle.dumps(keys, 2)]
    for value in state.values():
        if isinstance(value, np.ndarray):
            parts += [struct.pack("<q", value.size), value.tobytes()]
    return b"".join(parts)


def write_zip(state):
    """Returns a checkpoint in the zip format."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", _state_dict(state))
        archive.writestr("archive/byteorder", "little")
        for index, value in enumerate(state.values()):
            if isinstance(value, np.ndarray):
                archive.writestr(f"archive/data/{index}", value.tobytes())
        archive.writestr("archive/version", "3\n")
    return file.getvalue()
