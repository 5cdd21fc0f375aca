"""Built data sets as Parquet and as COCO's JSON."""

import shutil
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds

from fgbg_tfds import Builder, FgbgConfig
from fgbg_tfds.__main__ import main
from fgbg_tfds.contract import PICTURES

pq = pytest.importorskip("pyarrow.parquet")
coco = pytest.importorskip("pycocotools.coco")


@pytest.fixture(scope="module")
def builder(drawn_folders, tmp_path_factory):
    config = FgbgConfig(
        "small",
        foregrounds=str(drawn_folders / "foregrounds"),
        backgrounds=str(drawn_folders / "backgrounds"),
        teacher="none",
        placements=2,
        image_size=64,
    )
    builder = Builder(config=config, data_dir=str(tmp_path_factory.mktemp("data")))
    builder.download_and_prepare()
    return builder


@pytest.fixture
def convert(builder, tmp_path):
    """A function that runs a command, to the folder `out` if no other is given."""

    def run(command, *options):
        words = [command, "fgbg/small", f"--data_dir={builder.data_path.parents[2]}"]
        return main([*words, f"--out={tmp_path / 'out'}", *options])

    return run


def read(builder, split, *encoded):
    decoders = {name: tfds.decode.SkipDecoding() for name in encoded}
    return list(tfds.as_numpy(builder.as_dataset(split, decoders=decoders)))


def files_of(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_parquet_holds_all_that_was_built(builder, convert, tmp_path, capsys):
    assert convert("parquet") == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed == [
        str(tmp_path / "out" / "data" / f"{split}-00000-of-00001.parquet")
        for split in builder.info.splits
    ]
    assert len(files_of(tmp_path / "out")) == len(printed)
    for split, path in zip(builder.info.splits, printed, strict=True):
        rows = pq.read_table(path).to_pylist()
        expected = read(builder, split, *PICTURES)
        assert len(rows) == len(expected) > 0
        for row, example in zip(rows, expected, strict=True):
            assert set(row) == set(example)
            for name, value in example.items():
                stored = row[name]["bytes"] if name in PICTURES else row[name]
                assert np.array_equal(stored, value), name


def test_datasets_reads_pictures_and_labels(builder, convert, tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets")
    assert convert("parquet", "--split=test") == 0
    (file,) = (tmp_path / "out" / "data").iterdir()
    data = datasets.Dataset.from_parquet(str(file), cache_dir=str(tmp_path / "cache"))
    features = builder.info.features
    assert data.features["foreground"].names == features["foreground"].names
    for row, example in zip(data, read(builder, "test"), strict=True):
        assert row["fgbg"].mode == "RGB" and row["depth"].mode == "I;16"
        assert (np.asarray(row["mask"]) == example["mask"][..., 0]).all()
        assert (np.asarray(row["depth"]) == example["depth"][..., 0]).all()
        assert np.allclose(row["bbox"], example["bbox"])
        assert row["flipped"] == example["flipped"]


def test_parquet_is_cut_into_files_that_are_made_up_where_missing(
    builder, convert, tmp_path, monkeypatch
):
    monkeypatch.setattr("fgbg_tfds.conversion.parquet.MEGABYTE", 20_000)
    options = ("--split=cross,train[:5]", "--max_file_mb=1")
    assert convert("parquet", *options) == 0
    folder = tmp_path / "out" / "data"
    before = files_of(folder)
    parts = sorted(folder.glob("cross-*.parquet"))
    assert len(parts) > 2
    assert parts[1].name == f"cross-00001-of-{len(parts):05d}.parquet"
    rows = [row for part in parts for row in pq.read_table(part).to_pylist()]
    expected = read(builder, "cross", *PICTURES)
    assert [row["fgbg"]["bytes"] for row in rows] == [e["fgbg"] for e in expected]
    counts = [pq.read_metadata(part).num_rows for part in folder.glob("train-*")]
    assert sum(counts) == 5
    times = {part: part.stat().st_mtime_ns for part in parts}
    parts[1].unlink()
    assert convert("parquet", *options) == 0
    assert files_of(folder) == before
    changed = [part for part in parts if part.stat().st_mtime_ns != times[part]]
    assert changed == [parts[1]]


@pytest.mark.parametrize("categories", ["one", "names"])
def test_coco_reads_the_masks(builder, convert, tmp_path, categories, capsys):
    assert convert("coco", "--split=train,test", f"--categories={categories}") == 0
    printed = capsys.readouterr().out.splitlines()
    names = builder.info.features["foreground"].names
    for split, path in zip(("train", "test"), printed, strict=True):
        assert path == str(tmp_path / "out/annotations" / f"instances_{split}.json")
        truth = coco.COCO(path)
        images = truth.loadImgs(sorted(truth.getImgIds()))
        expected = read(builder, split, "fgbg")
        for image, example in zip(images, expected, strict=True):
            stored = (tmp_path / "out" / split / image["file_name"]).read_bytes()
            assert stored == example["fgbg"]
            assert (image["height"], image["width"]) == (64, 64)
            (thing,) = truth.loadAnns(truth.getAnnIds(imgIds=image["id"]))
            new = example["mask"][..., 0] >= 128
            assert (truth.annToMask(thing) == new).all()
            assert thing["area"] == new.sum() and thing["iscrowd"] == 0
            left, top, width, height = thing["bbox"]
            box = np.array([top, left, top + height, left + width]) / 64
            assert np.allclose(box, example["bbox"])
            (category,) = truth.loadCats(thing["category_id"])
            name = names[example["foreground"]]
            assert category["name"] == (name if categories == "names" else "foreground")
            assert thing["foreground"] == name


def test_coco_goes_on_with_the_splits_that_are_missing(convert, tmp_path):
    assert convert("coco", "--split=test") == 0
    path = tmp_path / "out" / "annotations" / "instances_test.json"
    before = files_of(tmp_path / "out"), path.stat().st_mtime_ns
    assert convert("coco", "--split=test,validation") == 0
    after = files_of(tmp_path / "out")
    assert before == (
        {name: after[name] for name in before[0]},
        path.stat().st_mtime_ns,
    )
    assert (tmp_path / "out" / "annotations" / "instances_validation.json").exists()


@pytest.mark.parametrize("command", ["parquet", "coco"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--split=holiday"], "split 'holiday': fgbg/small has train, "),
        (["--split=train[:0]"], "split 'train[:0]' of fgbg/small is empty"),
        (["--split=train[:2],train[2:]"], "would both be written as 'train'"),
        (["--data_dir=/nowhere"], "fgbg/small: not built in /nowhere"),
        (["--out=/proc/sys/out"], "/proc/sys/out: cannot be written to"),
    ],
)
def test_mistakes_are_told_in_a_line(convert, tmp_path, capsys, command, options, said):
    assert convert(command, *options) == 1
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert line.startswith("error: ") and said in line
    assert not (tmp_path / "out").exists()


def test_a_file_needs_a_size(convert, capsys):
    assert convert("parquet", "--max_file_mb=0") == 1
    assert capsys.readouterr().err == "error: --max_file_mb=0: give at least 1\n"


@pytest.mark.parametrize(
    ("command", "mine", "first"),
    [
        ("parquet", "data/test-00000-of-00001.parquet", None),
        ("parquet", "data/test-of-mine.parquet", None),
        ("parquet", "data/test-00000-of-00001.parquet", "test[:3]"),
        ("coco", "annotations/instances_test.json", None),
        ("coco", "test/00000001.jpg", None),
        ("coco", "annotations/instances_test.json", "test[:3]"),
    ],
)
def test_other_files_are_left_alone(convert, tmp_path, capsys, command, mine, first):
    path = tmp_path / "out" / mine
    if first:
        assert convert(command, f"--split={first}") == 0
    else:
        path.parent.mkdir(parents=True)
        path.write_bytes(b"mine")
    before = files_of(tmp_path / "out")
    assert convert(command, "--split=test") == 1
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert "is there already, and was not made from these examples" in line
    assert files_of(tmp_path / "out") == before


@pytest.mark.parametrize("command", ["parquet", "coco"])
def test_a_full_disk_leaves_nothing_half_written(
    builder, convert, tmp_path, capsys, full_disk, command
):
    read(builder, "cross")  # TFDS writes caches
    with full_disk():
        assert convert(command, "--split=cross") == 1
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert ": cannot be written (" in line and "File too large); make room" in line
    assert files_of(tmp_path / "out") == {}


@pytest.mark.parametrize("command", ["parquet", "coco"])
def test_a_damaged_data_set_is_told(builder, convert, tmp_path, capsys, command):
    shutil.copytree(builder.data_path.parents[2], tmp_path / "data")
    for shard in (tmp_path / "data").rglob("*test.tfrecord*"):
        shard.write_bytes(shard.read_bytes()[:5000])
    options = (f"--data_dir={tmp_path / 'data'}", "--split=test")
    assert convert(command, *options) == 1
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert line.startswith("error: fgbg/small: cannot be read from ")
    assert files_of(tmp_path / "out") == {}


@pytest.mark.parametrize(
    ("command", "package"), [("parquet", "pyarrow"), ("coco", "pycocotools")]
)
def test_a_missing_package_says_what_to_install(
    convert, monkeypatch, capsys, command, package
):
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    assert convert(command) == 1
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert f"{package} is not installed; install it with: pip install" in line
    assert f"'fgbg[{command}]'" in line
