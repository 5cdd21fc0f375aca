import numpy as np
import pytest
import tensorflow as tf

from trainer import data
from trainer.augment import Augmentation
from trainer.errors import UserError

AUGMENTATION = Augmentation(zoom=1.4, colour=0.2)


@pytest.fixture(scope="module")
def builder(data_dir):
    return data.open_dataset("miniset/sample", data_dir)


def batches(builder, number, split="train", batch_size=10, **settings):
    arguments = {"size": (32, 32), "augmentation": AUGMENTATION, "seed": 0} | settings
    stream = data.training_batches(builder, split, batch_size=batch_size, **arguments)
    return list(stream.take(number).as_numpy_iterator())


def same(one, other):
    return all(np.array_equal(one[name], other[name]) for name in one)


def test_batches_are_what_the_network_wants(builder):
    (batch,) = batches(builder, 1)
    assert {name: (v.shape, str(v.dtype)) for name, v in batch.items()} == {
        "bg": ((10, 32, 32, 3), "float32"),
        "fgbg": ((10, 32, 32, 3), "float32"),
        "mask": ((10, 32, 32, 1), "float32"),
        "depth": ((10, 32, 32, 1), "float32"),
        "index": ((10,), "int64"),
    }
    assert 50 < batch["fgbg"].max() <= 255
    assert 0 == batch["mask"].min() < batch["mask"].max() <= 1
    assert 0 == batch["depth"].min() < 1 < batch["depth"].max() < 30


def test_every_example_comes_once_an_epoch_in_an_order_of_its_own(builder):
    """48 examples in batches of 16: three batches an epoch."""
    plain = Augmentation(zoom=1.0, colour=0.0, flip=False)
    stream = batches(builder, 6, batch_size=16, augmentation=plain)
    first, second = (
        [bg.tobytes() for batch in epoch for bg in batch["bg"]]
        for epoch in (stream[:3], stream[3:])
    )
    assert len(set(first)) == 48
    assert set(first) == set(second)
    assert first != second


def test_a_stream_taken_up_again_goes_on_with_the_same_bits(builder):
    """Batches of 10 of 48 examples, so that they span the ends of epochs."""
    whole = batches(builder, 12)
    for step in (1, 4, 5, 10):
        again = batches(builder, 2, first_step=step)
        assert same(again[0], whole[step])
        assert same(again[1], whole[step + 1])


def test_the_order_comes_from_the_seed_alone(builder):
    tf.random.set_seed(1)
    first = batches(builder, 2)
    tf.random.set_seed(2)
    again, other = batches(builder, 2), batches(builder, 2, seed=1)
    assert same(first[0], again[0])
    assert same(first[1], again[1])
    assert not np.array_equal(first[0]["bg"], other[0]["bg"])


def test_workers_share_the_very_same_batches(builder):
    whole = batches(builder, 6, batch_size=8)
    parts = [
        batches(builder, 12, batch_size=8, worker=worker, workers=2, replicas=4)
        for worker in (0, 1)
    ]
    for step, batch in enumerate(whole):
        # Each worker has two devices, which take one batch after the other.
        shared = [part[2 * step + device] for part in parts for device in (0, 1)]
        joined = {n: np.concatenate([s[n] for s in shared]) for n in batch}
        assert same(joined, batch)


def test_evaluation_sees_every_example_once_at_full_size(builder):
    stream = data.evaluation_batches(builder, "test", size=(32, 32), batch_size=8)
    parts = list(stream.as_numpy_iterator())
    assert [part["real"].sum() for part in parts] == [8, 4]
    joined = {n: np.concatenate([p[n] for p in parts]) for n in parts[0]}
    assert joined["bg"].shape == (16, 32, 32, 3)
    assert joined["mask"].shape == joined["change"].shape == (16, 64, 64, 1)
    raw = list(data.pictures(builder, "test"))
    for index, example in enumerate(raw):
        np.testing.assert_allclose(joined["depth"][index], example["depth"] / 256)
        np.testing.assert_allclose(joined["mask"][index], example["mask"] / 255)
        difference = np.abs(example["bg"].astype(int) - example["fgbg"]).max(-1)
        np.testing.assert_array_equal(joined["change"][index, ..., 0], difference)


def test_workers_share_the_evaluation_and_drop_nothing(builder):
    seen = []
    for worker in (0, 1):
        stream = data.evaluation_batches(
            builder, "test", size=(32, 32), batch_size=8,
            worker=worker, workers=2, replicas=2,
        )  # fmt: skip
        parts = list(stream.as_numpy_iterator())
        assert len(parts) == 2
        seen += [
            i for p in parts for i, r in zip(p["index"], p["real"], strict=True) if r
        ]
    assert sorted(seen) == list(range(12))


def test_slices_are_splits(builder):
    assert data.count(builder, "train[:10]") == 10
    assert data.picture_size(builder, "test") == (64, 64)


def test_fingerprint_is_short_and_stays(builder, data_dir):
    first = data.fingerprint(builder)
    assert first == data.fingerprint(data.open_dataset("miniset/sample", data_dir))
    assert len(first) == 16
    assert int(first, 16) >= 0


def test_an_unknown_data_set_names_what_is_built(data_dir):
    with pytest.raises(UserError, match=r"miniset/sample.*tfds build fgbg_tfds"):
        data.open_dataset("fgbg/streets", data_dir)


def test_an_empty_folder_says_so(tmp_path):
    with pytest.raises(UserError, match="nothing is built there"):
        data.open_dataset("fgbg", str(tmp_path))


@pytest.mark.parametrize(
    ("split", "message"), [("holdout", "no split holdout"), ("train[:0]", "is empty")]
)
def test_splits_that_cannot_be_used(builder, split, message):
    with pytest.raises(UserError, match=message):
        data.count(builder, split)
