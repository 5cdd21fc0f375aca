"""Subfolders of backgrounds: scenes of several photos."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

from fgbg_tfds.compose import encoding, pictures
from fgbg_tfds.settings import Settings
from fgbg_tfds.writing.examples import Studio

PHOTOS = 3


class Nothing:
    """A store that keeps no batch."""

    def read_batch(self, shard, index):
        return None

    def keep_batch(self, shard, index, examples):
        pass


class Level:
    """A teacher whose depth is the picture's brightness."""

    batch_size, metric = 8, False

    def __call__(self, images):
        return 1 + images.mean(-1, dtype=np.float32) / 8


@pytest.fixture
def folders(drawn_folders, tmp_path):
    """Three single photos, and a yard of three photos at other times of the day."""
    for kind in ("foregrounds", "backgrounds"):
        shutil.copytree(drawn_folders / kind, tmp_path / kind)
    yard = tmp_path / "backgrounds" / "yard"
    yard.mkdir()
    with Image.open(tmp_path / "backgrounds" / "street_0.jpg") as photo:
        pixels = np.asarray(photo.convert("RGB")).astype(int)
    for hour in range(PHOTOS):
        light = np.clip(pixels[:, ::-1] * (0.6 + 0.2 * hour), 0, 255).astype(np.uint8)
        Image.fromarray(light).save(yard / f"at {hour}.png")
    (yard / "notes.txt").write_text("not a photo")
    (tmp_path / "backgrounds" / "nothing").mkdir()
    return tmp_path


def settings_of(folders, **changes):
    fields = {"image_size": 64, "placements": 4, "teacher": "none"} | changes
    places = {kind: str(folders / kind) for kind in ("foregrounds", "backgrounds")}
    return Settings(**places, **fields)


def decode(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def test_a_subfolder_is_one_scene(folders):
    scenes = pictures.read_backgrounds(folders / "backgrounds", 64)
    assert [scene.name for scene in scenes] == [
        *(f"street_{number}.jpg" for number in range(3)),
        "yard",
    ]
    assert [len(scene.photos) for scene in scenes] == [1, 1, 1, PHOTOS]


def test_the_empty_photo_is_another_one_than_that_under_the_composite(folders):
    studio = Studio(settings_of(folders))
    yard = studio.recipe.backgrounds.index("yard")
    encoded = [encoding.encode_photo(p) for p in studio.backgrounds[yard].photos]
    chosen = [c for c in studio.recipe.iterate() if c.background == yard]
    examples = list(studio.make_examples([("shard", chosen)], Nothing()))
    pairs = set()
    for composite, (_, _, example) in zip(chosen, examples, strict=True):
        pasted, empty = studio.recipe.choose_photos(composite, PHOTOS)
        assert pasted != empty
        pairs.add((pasted, empty))
        assert example["bg"] == encoded[empty]
        assert example["background"] == yard
        # Where the mask is 0 the composite is the photo that it was pasted on.
        outside = studio.compose(composite).mask[..., 0] == 0
        photo = studio.backgrounds[yard].photos[pasted]
        assert (studio.compose(composite).fgbg[outside] == photo[outside]).all()
    assert len(pairs) == PHOTOS * (PHOTOS - 1)
    twins = [studio.recipe.choose_photos(c, PHOTOS) for c in chosen]
    assert twins[::2] == twins[1::2]  # mirrored ones stand on the same photos


def test_examples_of_single_photos_stay_as_they_were(folders):
    both = []
    for scene in (True, False):
        if not scene:
            shutil.rmtree(folders / "backgrounds" / "yard")
        studio = Studio(settings_of(folders))
        chosen = [
            c
            for c in studio.recipe.iterate()
            if studio.recipe.backgrounds[c.background] != "yard"
        ]
        made = studio.make_examples([("shard", chosen)], Nothing())
        both.append({key: (e["bg"], e["fgbg"], e["mask"]) for _, key, e in made})
    assert both[0] == both[1]


def test_geometric_labels_are_of_the_photo_under_the_composite(folders):
    settings = settings_of(folders, teacher="embedded", labelling="geometric")
    studio = Studio(settings, Level())
    yard = studio.recipe.backgrounds.index("yard")
    chosen = [c for c in studio.recipe.iterate() if c.background == yard][:8]
    made = studio.make_examples([("shard", chosen)], Nothing())
    for composite, (_, _, example) in zip(chosen, made, strict=True):
        pasted, _ = studio.recipe.choose_photos(composite, PHOTOS)
        photo = studio.backgrounds[yard].photos[pasted]
        outside = studio.compose(composite).mask[..., 0] == 0
        metres = encoding.quantise_depth(Level()(photo[None])[0])
        assert (decode(example["depth"])[outside] == metres[outside]).all()


def test_scenes_that_share_a_photo_are_one_identity(folders):
    shutil.copytree(folders / "backgrounds" / "yard", folders / "backgrounds" / "court")
    for hour in (1, 2):
        (folders / "backgrounds" / "court" / f"at {hour}.png").unlink()
    shutil.copy(
        folders / "backgrounds" / "yard" / "at 2.png",
        folders / "backgrounds" / "zoo.png",
    )
    scenes = pictures.read_backgrounds(folders / "backgrounds", 64)
    identities = dict(
        zip([s.name for s in scenes], pictures.identify(scenes), strict=True)
    )
    assert identities["court"] == identities["yard"] == identities["zoo.png"]
    assert len(set(identities.values())) == 4


def test_a_broken_photo_of_a_scene_is_named(folders):
    (folders / "backgrounds" / "yard" / "at 3.jpg").write_bytes(b"junk")
    with pytest.raises(pictures.InputError, match=r"yard/at 3\.jpg: not a picture"):
        pictures.read_backgrounds(folders / "backgrounds", 64)
