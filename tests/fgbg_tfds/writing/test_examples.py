"""Order, batching and keeping of labels, with a teacher that can be checked."""

import io
import threading

import numpy as np
import pytest
from PIL import Image

from fgbg_tfds.compose import encoding
from fgbg_tfds.depth import Teacher
from fgbg_tfds.settings import Settings
from fgbg_tfds.writing.examples import Studio

BATCH = 5


class BrightnessTeacher(Teacher):
    """Says that bright is far; remembers what it was shown."""

    card = None
    batch_size = BATCH

    def __init__(self):
        self.batches = []

    def __call__(self, images):
        self.batches.append(images.copy())
        return 1 + images.mean(-1, dtype=np.float32) / 8


class Kept(dict):
    """Batches in memory."""

    def read_batch(self, shard, index):
        return self.get((shard, index))

    def keep_batch(self, shard, index, examples):
        self[shard, index] = list(examples)


@pytest.fixture
def settings(drawn_folders):
    return Settings(
        foregrounds=str(drawn_folders / "foregrounds"),
        backgrounds=str(drawn_folders / "backgrounds"),
        image_size=64,
        placements=2,
    )


def decode(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def test_each_composite_gets_the_label_of_its_own_pixels(settings):
    studio = Studio(settings, BrightnessTeacher())
    composites = studio.recipe.splits["cross"][:12]
    made = list(studio.make_examples([("shard", composites)], Kept()))
    assert [key for _, key, _ in made] == [
        studio.recipe.make_key(c) for c in composites
    ]
    for composite, (_, _, example) in zip(composites, made, strict=True):
        pasted = studio.compose(composite)
        metres = 1 + pasted.fgbg.mean(-1, dtype=np.float32) / 8
        assert (decode(example["depth"]) == encoding.quantise_depth(metres)).all()
        assert (decode(example["mask"]) == pasted.mask[..., 0]).all()
        assert example["fgbg"] == encoding.encode_photo(pasted.fgbg)


def test_teacher_sees_batches_of_the_size_it_asks_for(settings):
    teacher = BrightnessTeacher()
    studio = Studio(settings, teacher)
    composites = studio.recipe.splits["cross"][:12]
    assert len(list(studio.make_examples([("shard", composites)], Kept()))) == 12
    assert [len(batch) for batch in teacher.batches] == [BATCH, BATCH, 2]


def test_kept_batches_are_not_labelled_again_and_nothing_changes(settings):
    composites = Studio(settings, BrightnessTeacher()).recipe.splits["cross"][:12]
    kept = Kept()
    whole = list(
        Studio(settings, BrightnessTeacher()).make_examples([("s", composites)], kept)
    )
    assert len(kept) == 3
    del kept["s", 1]
    teacher = BrightnessTeacher()
    again = list(Studio(settings, teacher).make_examples([("s", composites)], kept))
    assert again == whole
    assert len(teacher.batches) == 1


class WaitingTeacher(BrightnessTeacher):
    """Ends its second look only when somebody has what came of the first."""

    def __init__(self):
        super().__init__()
        self.received = threading.Event()

    def __call__(self, images):
        if len(self.batches) == 1:
            assert self.received.wait(60), "the teacher and the writer took turns"
        return super().__call__(images)


def test_teacher_looks_at_the_next_shard_while_the_last_is_written(settings):
    teacher = WaitingTeacher()
    studio = Studio(settings, teacher)
    composites = studio.recipe.splits["cross"][: 2 * BATCH]
    shards = [("first", composites[:BATCH]), ("second", composites[BATCH:])]
    names = []
    for name, _, _ in studio.make_examples(shards, Kept()):
        teacher.received.set()
        names.append(name)
    assert names == ["first"] * BATCH + ["second"] * BATCH


def test_batches_of_another_size_are_labelled_again(settings):
    composites = Studio(settings, BrightnessTeacher()).recipe.splits["cross"][:BATCH]
    kept = Kept()
    whole = list(
        Studio(settings, BrightnessTeacher()).make_examples([("s", composites)], kept)
    )
    kept["s", 0] = kept["s", 0][:-1]
    studio = Studio(settings, BrightnessTeacher())
    assert list(studio.make_examples([("s", composites)], kept)) == whole


def test_geometric_labelling_looks_at_each_background_once(settings):
    teacher = BrightnessTeacher()
    fields = {**vars(settings), "labelling": "geometric"}
    fields.pop("recipe", None)
    studio = Studio(Settings(**fields), teacher)
    composites = studio.recipe.splits["cross"]
    made = list(studio.make_examples([("shard", composites)], Kept()))
    assert len(made) == len(composites)
    assert len(teacher.batches) == 1  # three backgrounds fit in one batch
    for composite, (_, _, example) in zip(composites, made, strict=True):
        pasted = studio.compose(composite)
        background = studio.backgrounds[composite.background].pixels
        metres = 1 + background.mean(-1, dtype=np.float32) / 8
        outside = pasted.mask[..., 0] < 128
        stored = decode(example["depth"])
        assert (stored <= encoding.quantise_depth(metres)).all()
        assert (stored[outside] == encoding.quantise_depth(metres)[outside]).all()
