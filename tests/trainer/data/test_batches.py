import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from trainer import data
from trainer.augment import Augmentation
from trainer.errors import UserError

AUGMENTATION = Augmentation(zoom=1.4, colour=0.2)


@pytest.fixture(scope="module")
def mixture(data_dir):
    return data.open_mixture("miniset/sample", data_dir)


def process(index, processes=2, devices=2):
    """One of several processes that share batches."""
    return tf.distribute.InputContext(processes, index, devices)


def batches(mixture, number, batch_size=10, **settings):
    arguments = {"size": (32, 32), "augmentation": AUGMENTATION} | settings
    order = {name: arguments.pop(name) for name in ("split", "shares", "seed")
             if name in arguments}  # fmt: skip
    mixture = dataclasses.replace(mixture, **order)
    stream = data.make_training_batches(mixture, batch_size=batch_size, **arguments)
    return list(stream.take(number).as_numpy_iterator())


def same(one, other):
    return all(np.array_equal(one[name], other[name]) for name in one)


def test_batches_are_what_the_network_wants(mixture):
    (batch,) = batches(mixture, 1)
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


def test_every_example_comes_once_an_epoch_in_an_order_of_its_own(mixture):
    """48 examples in batches of 16: three batches an epoch."""
    plain = Augmentation(zoom=1.0, colour=0.0, flip=False)
    stream = batches(mixture, 6, batch_size=16, augmentation=plain)
    first, second = (
        [bg.tobytes() for batch in epoch for bg in batch["bg"]]
        for epoch in (stream[:3], stream[3:])
    )
    assert len(set(first)) == 48
    assert set(first) == set(second)
    assert first != second


def test_a_stream_taken_up_again_goes_on_with_the_same_bits(mixture):
    """Batches of 10 of 48 examples, so that they span the ends of epochs."""
    whole = batches(mixture, 12)
    for step in (1, 4, 5, 10):
        again = batches(mixture, 2, first_step=step)
        assert same(again[0], whole[step])
        assert same(again[1], whole[step + 1])


def test_the_order_comes_from_the_seed_alone(mixture):
    tf.random.set_seed(1)
    first = batches(mixture, 2)
    tf.random.set_seed(2)
    again, other = batches(mixture, 2), batches(mixture, 2, seed=1)
    assert same(first[0], again[0])
    assert same(first[1], again[1])
    assert not np.array_equal(first[0]["bg"], other[0]["bg"])


def test_workers_share_the_very_same_batches(mixture):
    whole = batches(mixture, 6, batch_size=8)
    parts = [
        batches(mixture, 12, batch_size=8, context=process(worker, devices=4))
        for worker in (0, 1)
    ]
    for step, batch in enumerate(whole):
        # Each worker has two devices, which take one batch after the other.
        shared = [part[2 * step + device] for part in parts for device in (0, 1)]
        joined = {n: np.concatenate([s[n] for s in shared]) for n in batch}
        assert same(joined, batch)


@pytest.fixture(scope="module")
def both(mixed_data_dir):
    return data.open_mixture("miniset/sample, miniset/other", mixed_data_dir)


def test_several_data_sets_come_in_turn(mixture, both):
    plain = Augmentation(zoom=1.0, colour=0.0, flip=False)
    assert both.count() == 96
    assert both.full_name == "miniset/sample/1.0.0,miniset/other/1.0.0"
    assert both.fingerprint != mixture.fingerprint
    known = {picture["bg"].tobytes() for picture in mixture.read_pictures()}
    for shares, turn in (((), (1, 0)), ((3, 1), (1, 1, 1, 0))):
        stream = batches(
            both, 12, batch_size=8, size=(64, 64), augmentation=plain, shares=shares
        )
        seen = [bg.astype("uint8").tobytes() for batch in stream for bg in batch["bg"]]
        owners = [picture in known for picture in seen]
        for place in range(0, len(owners), len(turn)):
            assert sorted(owners[place : place + len(turn)]) == sorted(map(bool, turn))
        # 48 examples of the first, each once before any comes again.
        own = [picture for picture in seen if picture in known]
        assert len(set(own[:48])) == min(48, len(own))


def test_a_mixture_taken_up_again_goes_on_with_the_same_bits(both):
    whole = batches(both, 9, shares=(2, 1))
    again = batches(both, 2, shares=(2, 1), first_step=7)
    assert same(again[0], whole[7])
    assert same(again[1], whole[8])


def test_several_data_sets_are_evaluated_one_after_the_other(both):
    stream = data.make_evaluation_batches(
        both.with_split("test"), size=(32, 32), batch_size=24
    )
    (batch,) = stream.as_numpy_iterator()
    raw = [p["mask"] for p in both.with_split("test").read_pictures()]
    np.testing.assert_allclose(batch["mask"], np.stack(raw) / 255)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("miniset/sample,miniset/small", "one size.*sample.*64x64.*small.*48x48"),
        ("miniset/sample,miniset/sample", "twice.*--dataset_shares"),
        ("miniset/sample,,miniset/other", "empty name"),
        ("miniset/sample,miniset/none", "miniset/none is not in"),
    ],
)
def test_mixtures_that_cannot_be(names, message, mixed_data_dir):
    with pytest.raises(UserError, match=message):
        batches(data.open_mixture(names, mixed_data_dir), 1)


def test_shares_have_to_fit_the_data_sets(both):
    with pytest.raises(UserError, match=r"--dataset_shares has 3 numbers for 2"):
        batches(both, 1, shares=(1, 2, 3))


@pytest.mark.parametrize("repeats", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_life_is_the_same_after_a_resume_and_on_every_worker(mixture, repeats):
    """With repeats, a pool is 32 batches of 8; step 65 is in the second one."""
    last = 65 if repeats > 1 else 5
    life = {"augmentation": Augmentation(life=True, repeats=repeats), "batch_size": 8}
    whole = batches(mixture, last + 1, **life)
    assert whole[0]["bg"].shape == (8, 32, 32, 3)
    assert {str(v.dtype) for n, v in whole[0].items() if n != "index"} == {"float32"}
    (again,) = batches(mixture, 1, first_step=last, **life)
    assert same(again, whole[last])
    parts = [batches(mixture, 2, context=process(worker), **life) for worker in (0, 1)]
    for step in (0, 1):
        joined = {n: np.concatenate([p[step][n] for p in parts]) for n in whole[0]}
        assert same(joined, whole[step])


def loaded(address, data_dir):
    """The one example that an address is of."""
    name, split = address.split(" ")
    (example,) = data.open_mixture(name, data_dir, split).read_pictures()
    return example


@pytest.mark.parametrize("split", ["train", "train[40:]+cross+train[:5]"])
def test_a_batch_tells_where_its_examples_are(both, split, mixed_data_dir):
    plain = Augmentation(zoom=1.0, colour=0.0, flip=False)
    shares = (3, 1)
    part = {"size": (64, 64), "augmentation": plain}
    order = {"split": split, "shares": shares, "seed": 1}
    _, batch = batches(both, 2, first_step=5, **order, **part)
    addresses = data.find_addresses(dataclasses.replace(both, **order), batch["index"])
    assert len(set(addresses)) > 8  # an epoch of 17 may end in between
    for address, bg in zip(addresses, batch["bg"], strict=True):
        np.testing.assert_array_equal(loaded(address, mixed_data_dir)["bg"], bg)


def test_made_pairs_tell_where_their_examples_are(both, mixed_data_dir):
    """Depth beside all objects is the example's own, whatever life did to it."""
    life = Augmentation(life=True, repeats=2, zoom=1.0, flip=False)
    (batch,) = batches(both, 1, batch_size=16, size=(64, 64), augmentation=life)
    addresses = data.find_addresses(both, batch["index"])
    assert {address.split(" ")[0] for address in addresses} == {
        "miniset/sample",
        "miniset/other",
    }
    for address, depth in zip(addresses, batch["depth"], strict=True):
        own = loaded(address, mixed_data_dir)["depth"] / 256
        np.testing.assert_allclose(depth[-1, :1], own[-1, :1], atol=0.02)


def test_perturbed_and_empty_pairs_come_out_the_same_each_time(mixture):
    def evaluated(pairs, **changes):
        test = mixture.with_split("test")
        stream = data.make_evaluation_batches(
            test, size=(64, 64), batch_size=12, pairs=pairs, **changes
        )
        return list(stream.as_numpy_iterator())

    (clean,), (perturbed,), (empty,) = map(evaluated, data.PAIRS)
    for name in ("mask", "depth", "index"):
        np.testing.assert_array_equal(clean[name], perturbed[name])
    for name in ("bg", "fgbg"):
        changes = np.abs(clean[name] - perturbed[name]).mean((1, 2, 3))
        assert (changes > 0.2).all()
    assert empty["mask"].max() == 0
    assert (empty["depth"][clean["mask"] > 0] == 0).all()
    known = (clean["mask"] == 0) & (empty["depth"] > 0)
    np.testing.assert_array_equal(empty["depth"][known], clean["depth"][known])
    shared = [evaluated("perturbed", context=process(w)) for w in (0, 1)]
    joined = {n: np.concatenate([part[n] for (part,) in shared]) for n in perturbed}
    assert same(joined, perturbed)


def test_evaluation_sees_every_example_once_at_full_size(mixture):
    test = mixture.with_split("test")
    stream = data.make_evaluation_batches(test, size=(32, 32), batch_size=8)
    parts = list(stream.as_numpy_iterator())
    assert [part["real"].sum() for part in parts] == [8, 4]
    joined = {n: np.concatenate([p[n] for p in parts]) for n in parts[0]}
    assert joined["bg"].shape == (16, 32, 32, 3)
    assert joined["mask"].shape == joined["change"].shape == (16, 64, 64, 1)
    raw = list(test.read_pictures())
    for index, example in enumerate(raw):
        np.testing.assert_allclose(joined["depth"][index], example["depth"] / 256)
        np.testing.assert_allclose(joined["mask"][index], example["mask"] / 255)
        difference = np.abs(example["bg"].astype(int) - example["fgbg"]).max(-1)
        np.testing.assert_array_equal(joined["change"][index, ..., 0], difference)


def test_workers_share_the_evaluation_and_drop_nothing(mixture):
    seen = []
    for worker in (0, 1):
        stream = data.make_evaluation_batches(
            mixture.with_split("test"),
            size=(32, 32),
            batch_size=8,
            context=process(worker),
        )
        parts = list(stream.as_numpy_iterator())
        assert len(parts) == 2
        seen += [
            i for p in parts for i, r in zip(p["index"], p["real"], strict=True) if r
        ]
    assert sorted(seen) == list(range(12))


def test_slices_are_splits(mixture):
    assert mixture.with_split("train[:10]").count() == 10
    assert mixture.with_split("test").picture_size == (64, 64)


def test_fingerprint_is_short_and_stays(mixture, data_dir):
    first = mixture.fingerprint
    assert first == data.open_mixture("miniset/sample", data_dir).fingerprint
    assert len(first) == 16
    assert int(first, 16) >= 0


def test_an_unknown_data_set_names_what_is_built(data_dir):
    with pytest.raises(UserError, match=r"miniset/sample.*tfds build fgbg_tfds"):
        data.open_mixture("fgbg/streets", data_dir)


def test_an_empty_folder_says_so(tmp_path):
    with pytest.raises(UserError, match="nothing is built there"):
        data.open_mixture("fgbg", str(tmp_path))


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("holdout", "no split holdout"),
        ("train[:0]", "is empty"),
        ("train[:7800]", r"no split train\[:7800\]; it has train of 48, .* examples"),
    ],
)
def test_splits_that_cannot_be_used(mixture, split, message):
    with pytest.raises(UserError, match=message):
        mixture.with_split(split).count()
