"""PyTorch checkpoints without PyTorch: both formats, damaged ones, hostile ones."""

import collections
import io
import os
import pickle
import zipfile

import numpy as np
import pytest
import torch_writer

from fgbg_tfds.depth.checkpoints import sources
from fgbg_tfds.depth.checkpoints.torch_files import read_state_dict
from fgbg_tfds.errors import InputError

WRITERS = [torch_writer.write_rows, torch_writer.write_zip]


def random_state():
    rng = np.random.default_rng(0)
    return {
        "conv.weight": rng.normal(size=(4, 3, 2, 2)).astype("f4"),
        "conv.bias": rng.normal(size=4).astype("f4"),
        "double": rng.normal(size=(2, 3)),
        "counter": np.array(12345678901, "i8"),
        "empty": np.zeros((0, 5), "f4"),
        "height": 192,
        "use_stereo": True,
        "note": "Grüße",
    }


def assert_same(actual, expected):
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        if isinstance(value, np.ndarray):
            assert actual[name].dtype == value.dtype
            np.testing.assert_array_equal(actual[name], value)
            assert actual[name].shape == value.shape
        else:
            assert actual[name] == value


@pytest.mark.parametrize("write", WRITERS)
def test_both_formats_are_read(write):
    state = random_state()
    assert_same(read_state_dict(write(state), "x.pth"), state)


@pytest.mark.parametrize("write", WRITERS)
def test_arrays_are_the_callers_own(write):
    array = read_state_dict(write(random_state()), "x.pth")["conv.weight"]
    array += 1
    assert array.flags.owndata


# === PyTorch itself ===


@pytest.mark.parametrize("write", WRITERS)
def test_pytorch_reads_the_tests_own_files(write):
    torch = pytest.importorskip("torch", reason="PyTorch itself is not installed")
    state = random_state()
    loaded = torch.load(io.BytesIO(write(state)), weights_only=True)
    plain = {k: v.numpy() if torch.is_tensor(v) else v for k, v in loaded.items()}
    assert_same(plain, state)


@pytest.mark.parametrize("as_zip", [False, True])
def test_files_of_pytorch_are_read(as_zip):
    torch = pytest.importorskip("torch", reason="PyTorch itself is not installed")
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    base = torch.arange(24.0).reshape(4, 6)
    state = module.state_dict()
    state |= {
        "slice": base[1:, ::2],
        "transposed": base.t(),
        "shared": base,
        "parameter": torch.nn.Parameter(torch.randn(2)),
        "half": torch.randn(3).half(),
        "bfloat16": torch.randn(3).bfloat16(),
        "scalar": torch.tensor(3),
        "width": 640,
    }
    file = io.BytesIO()
    torch.save(state, file, _use_new_zipfile_serialization=as_zip)
    read = read_state_dict(file.getvalue(), "x.pth")
    assert read.keys() == state.keys()
    for name, value in state.items():
        if torch.is_tensor(value):
            assert read[name].shape == value.shape
            expected = value.detach().to(torch.float64).numpy()
            np.testing.assert_array_equal(read[name], expected)
        else:
            assert read[name] == value


# === Damage ===


@pytest.mark.parametrize("write", WRITERS)
def test_every_truncation_is_told(write):
    content = write(random_state())
    for size in [*range(0, len(content), 41), len(content) - 1]:
        with pytest.raises(InputError, match=r"x\.pth"):
            read_state_dict(content[:size], "x.pth")


@pytest.mark.parametrize("write", WRITERS)
def test_damage_never_ends_in_another_error(write):
    content = bytearray(write(random_state()))
    rng = np.random.default_rng(1)
    refused = 0
    for place in rng.integers(0, len(content), 400):
        damaged = bytearray(content)
        damaged[place] ^= int(rng.integers(1, 256))
        try:
            read_state_dict(bytes(damaged), "x.pth")
        except InputError:
            refused += 1
    assert refused > 50


def test_other_files_are_refused():
    for content in (b"", b"hello", pickle.dumps([1, 2]), b"\x89PNG\r\n\x1a\n"):
        with pytest.raises(InputError, match=r"x\.pth"):
            read_state_dict(content, "x.pth")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("photo.jpg", b"")
    with pytest.raises(InputError, match=r"data\.pkl"):
        read_state_dict(packed.getvalue(), "x.pth")


def test_a_list_is_no_state_dict():
    content = zip_with(pickle.dumps([1, 2], 2))
    with pytest.raises(InputError, match="holds a list; expected a state dict"):
        read_state_dict(content, "x.pth")


def test_big_endian_files_are_refused():
    file = io.BytesIO(torch_writer.write_zip(random_state()))
    packed = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(packed, "w") as new:
        for name in old.namelist():
            content = b"big" if name.endswith("byteorder") else old.read(name)
            new.writestr(name, content)
    with pytest.raises(InputError, match="big-endian"):
        read_state_dict(packed.getvalue(), "x.pth")


# === Hostile pickles ===


def zip_with(pickled):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
    return file.getvalue()


def rows_with(pickled):
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
    parts = [pickle.dumps(part, 2) for part in (torch_writer.MAGIC, 1001, system)]
    return b"".join([*parts, pickled, pickle.dumps([], 2)])


class Touch:
    """Pickles as a call of `function`."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("wrap", [zip_with, rows_with, lambda pickled: pickled])
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_pickled_code_is_refused_and_not_run(wrap, protocol, tmp_path):
    evil = tmp_path / "evil"
    calls = [
        Touch(os.system, f"touch {evil}"),
        Touch(eval, f"open({str(evil)!r}, 'w')"),
        Touch(open, str(evil), "w"),
        Touch(getattr, collections.OrderedDict, "__subclasses__"),
    ]
    for call in calls:
        pickled = pickle.dumps(collections.OrderedDict(weight=call), protocol)
        with pytest.raises(InputError, match=r"x\.pth is refused: .* asks for"):
            read_state_dict(wrap(pickled), "x.pth")
    assert not evil.exists()


@pytest.mark.parametrize(
    "name",
    [
        ("torch", "load"),
        ("torch.FloatStorage", "__class__"),
        ("torch._utils", "_rebuild_tensor_v2.__globals__"),
        ("collections", "OrderedDict.fromkeys"),
        ("collections", "_sys"),
        ("builtins", "eval"),
    ],
)
def test_names_beside_the_list_are_refused(name):
    module, attribute = (pickle.dumps(part, 4)[2:-1] for part in name)
    # Protocol 4 resolves dotted names, so a list of prefixes would not do.
    pickled = b"\x80\x04" + module + attribute + b"\x93."
    with pytest.raises(InputError, match="is refused"):
        read_state_dict(zip_with(pickled), "x.pth")


def test_a_pickle_cannot_alter_what_it_may_name():
    # The last opcode sets attributes of the function that rebuilds tensors.
    pickled = b"".join(
        [
            b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n",
            b"}X\x08\x00\x00\x00__call__K\x01sb.",
        ]
    )
    with pytest.raises(InputError, match="broken"):
        read_state_dict(zip_with(pickled), "x.pth")
    state = random_state()
    assert_same(read_state_dict(torch_writer.write_zip(state), "x.pth"), state)


@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [
        ((4, 3, 2, 2), (12, 4, 2, 1), 1),
        ((4, 3, 2, 3), (12, 4, 2, 1), 0),
        ((10**6, 10**6), (0, 0), 0),
        ((4,), (-1,), 3),
        ((-4,), (1,), 0),
        ((4, 4), (1,), 0),
        ((4,), (1,), -2),
    ],
)
@pytest.mark.parametrize("write", WRITERS)
def test_tensors_that_reach_beyond_their_storage_are_refused(
    write, shape, strides, offset, monkeypatch
):
    monkeypatch.setattr(torch_writer, "layout", lambda array: (offset, shape, strides))
    content = write({"conv.weight": random_state()["conv.weight"]})
    with pytest.raises(InputError, match=r"conv\.weight.*does not fit"):
        read_state_dict(content, "x.pth")


# === Folders and zips ===


def test_files_are_found_at_any_depth(tmp_path):
    inner = tmp_path / "models" / "mono"
    inner.mkdir(parents=True)
    (inner / "encoder.pth").write_bytes(b"1")
    with zipfile.ZipFile(tmp_path / "models.zip", "w") as archive:
        archive.writestr("models/mono/encoder.pth", b"1")
        archive.writestr("__MACOSX/models/mono/encoder.pth", b"resource fork")
    for path in (tmp_path / "models", tmp_path / "models.zip", inner):
        assert sources.read_files(path, ["encoder.pth"]) == {"encoder.pth": b"1"}


def test_the_digest_is_over_the_files_alone(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"2")
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("y/b", b"2")
        archive.writestr("y/a", b"1")
    folder = sources.compute_digest(sources.read_files(tmp_path, ["a", "b"]))
    packed = sources.compute_digest(sources.read_files(tmp_path / "x.zip", ["a", "b"]))
    assert folder == packed
    assert folder == (
        "6b51d431df5d7f141cbececcf79edf3dd861c3b4069f0b11661a3eefacbba918"
    )


def test_a_file_that_is_no_zip_is_refused(tmp_path):
    (tmp_path / "encoder.pth").write_bytes(b"1")
    with pytest.raises(InputError, match="neither a folder nor a zip"):
        sources.read_files(tmp_path / "encoder.pth", ["encoder.pth"])
