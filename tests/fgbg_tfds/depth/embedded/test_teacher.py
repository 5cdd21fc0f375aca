import numpy as np
import pytest

from fgbg_tfds.depth import EMBEDDED_WEIGHTS, load_teacher
from fgbg_tfds.depth.embedded.network import build_network
from fgbg_tfds.depth.embedded.weight_file import read_weights, write_weights
from fgbg_tfds.errors import InputError
from fgbg_tfds.procedural import draw_street


@pytest.fixture(scope="module")
def teacher():
    return load_teacher("embedded", precision="float32")


@pytest.fixture(scope="module")
def streets():
    return [draw_street(seed, size=128) for seed in range(4)]


def test_card_says_what_it_is(teacher):
    card = teacher.card
    assert card.name == "embedded" and card.licence == "Apache-2.0"
    assert len(card.weights_sha256) == 64
    assert card.precision == "float32"
    assert not card.metric
    assert card.as_metadata()["feed_size"] == list(card.feed_size)


def test_weights_are_small_and_hold_no_pickle():
    assert EMBEDDED_WEIGHTS.stat().st_size < 3_000_000
    with np.load(EMBEDDED_WEIGHTS, allow_pickle=False) as file:
        assert all(file[name].dtype == np.float16 for name in file.files)


@pytest.mark.parametrize("shape", [(1, 1), (224, 224), (37, 301), (500, 120)])
def test_any_shape_works(teacher, shape):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (3, *shape, 3), dtype=np.uint8)
    depth = teacher(images)
    assert depth.shape == (3, *shape) and depth.dtype == np.float32
    assert depth.min() >= 0.5 and depth.max() <= 80


def test_no_pictures_give_no_depth(teacher):
    assert teacher(np.zeros((0, 64, 64, 3), np.uint8)).shape == (0, 64, 64)


def test_neighbours_change_nothing(teacher, streets):
    images = np.stack([street.image for street in streets])
    many = np.concatenate([images] * 5)  # more than a batch
    together = teacher(many)
    for index in (0, 3, 17):
        alone = teacher(many[index : index + 1])[0]
        np.testing.assert_array_equal(together[index], alone)
    np.testing.assert_array_equal(together[:4], together[16:])


def test_streets_are_read_roughly_right(teacher, streets):
    for street in streets:
        depth = teacher(street.image[None])[0]
        log_error = np.log(depth) - np.log(street.depth)
        assert np.median(np.abs(log_error)) < 0.6
        assert np.median(depth[-8:]) < np.median(depth[:64])


def test_bfloat16_comes_close(teacher, streets):
    images = streets[0].image[None]
    rough = load_teacher("embedded", precision="bfloat16")
    assert rough.card.precision == "bfloat16"
    error = np.log(rough(images)) - np.log(teacher(images))
    np.testing.assert_array_equal(rough(np.repeat(images, 3, 0))[2], rough(images)[0])
    assert 0 < np.mean(np.abs(error)) < 0.05


def test_own_weights_are_read(teacher, streets, tmp_path):
    path = tmp_path / "own.npz"
    path.write_bytes(EMBEDDED_WEIGHTS.read_bytes())
    own = load_teacher("embedded", weights=path, precision="float32")
    assert own.card.weights == "own.npz"
    assert own.card.weights_sha256 == teacher.card.weights_sha256
    images = streets[1].image[None]
    np.testing.assert_array_equal(own(images), teacher(images))


def test_missing_weights_are_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.npz does not exist"):
        load_teacher("embedded", weights=tmp_path / "nowhere.npz")
    with pytest.raises(InputError, match="is a folder"):
        load_teacher("embedded", weights=tmp_path)


def _truncated(path):
    path.write_bytes(EMBEDDED_WEIGHTS.read_bytes()[:1000])


def _text(path):
    path.write_text("not weights at all")


def _pickled(path):
    np.savez(path, kernel=np.array([{"a": 1}], dtype=object))


def _foreign(path):
    np.savez(path, kernel=np.ones(3))


def _empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("spoil", [_truncated, _text, _pickled, _foreign, _empty])
def test_damaged_weights_are_refused(tmp_path, spoil):
    path = tmp_path / "bad.npz"
    spoil(path)
    with pytest.raises(InputError, match=r"bad\.npz .*train"):
        load_teacher("embedded", weights=path)


def test_weights_with_no_numbers_are_refused(tmp_path):
    path = tmp_path / "nan.npz"
    write_weights(path, {"a/bias": np.array([1.0, np.nan])})
    with pytest.raises(InputError, match="no finite numbers"):
        read_weights(path, {"a/bias": (2,)})


def test_network_halves_the_resolution():
    model = build_network(train=False)
    assert model(np.zeros((2, 64, 96, 4), np.float32)).shape == (2, 32, 48)
    assert model.count_params() < 1_500_000
