import json
import pathlib
import shutil
import subprocess

import numpy as np
import pytest

from trainer import data, main
from trainer.errors import UserError
from trainer.settings import Settings

ROOT = pathlib.Path(__file__).parents[3]
ROWS = ["background_subtraction", "background_subtraction_perturbed", "mean_depth_map"]


@pytest.fixture(scope="module")
def two_sets(data_dir, tmp_path_factory):
    """A folder with miniset/sample, and the same once more as miniset/other."""
    folder = tmp_path_factory.mktemp("two")
    for name in ("sample", "other"):
        copy = folder / "miniset" / name
        shutil.copytree(pathlib.Path(data_dir) / "miniset" / "sample", copy)
        path = copy / "1.0.0" / "dataset_info.json"
        info = path.read_text()
        assert '"configName": "sample"' in info
        path.write_text(
            info.replace('"configName": "sample"', f'"configName": "{name}"')
        )
    return str(folder)


def settings_of(workdir, data_dir, **changes):
    fields = {
        "dataset": "miniset/sample",
        "data_dir": data_dir,
        "workdir": str(workdir),
        "image_size": "32",
        "model": "dnn15",
        "train_steps": 1,
        "batch_size": 4,
        "report_examples": 16,
    }
    return Settings(**(fields | changes))


@pytest.fixture(scope="module")
def dnn15(data_dir, tmp_path_factory):
    """The workdir of a run of another network, fed smaller pictures."""
    workdir = tmp_path_factory.mktemp("runs") / "dnn15"
    main.run(settings_of(workdir, data_dir))
    return workdir


@pytest.fixture(scope="module")
def compared(command, trained, dnn15, tmp_path_factory):
    """The output, the report and the workdir of evaluating beside the other run."""
    workdir = tmp_path_factory.mktemp("compared") / "eigen"
    shutil.copytree(trained, workdir)
    done = subprocess.run(
        command(
            workdir,
            *("--mode=evaluate", f"--compare={dnn15}"),
            *("--report=full", "--report_examples=16"),
        ),
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stderr, read(workdir), workdir


def read(workdir):
    return json.loads((workdir / "metrics.json").read_text())


def blocks_of(report, table, **wanted):
    return [b for b in report[table] if wanted.items() <= b.items()]


def test_the_test_split_is_measured_three_times(compared):
    _, report, _ = compared
    assert [block["pairs"] for block in report["test"]] == [
        "clean",
        "perturbed",
        "empty",
    ]
    clean, perturbed, empty = report["test"]
    assert list(clean["rows"]) == [*ROWS, "eigen", "dnn15"]
    assert {block["examples"] for block in report["test"]} == {12}
    for block in (clean, perturbed):
        for row in ("background_subtraction", "eigen"):
            assert {
                *("mask_iou", "mask_f", "mask_boundary_f", "mask_false_positive_rate")
            } <= block["rows"][row].keys()
        for row in ("mean_depth_map", "eigen"):
            assert {
                *("depth_abs_rel", "depth_rmse", "depth_silog", "depth_delta_1")
            } <= block["rows"][row].keys()
    assert perturbed["rows"]["eigen"] != clean["rows"]["eigen"]
    first = [block["rows"]["background_subtraction"] for block in (clean, perturbed)]
    assert first[0]["mask_iou"] > first[1]["mask_iou"]
    # Nothing is there to be found: only alarms say anything.
    assert "mask_iou" not in empty["rows"]["eigen"]
    assert 0 <= empty["rows"]["eigen"]["mask_false_positive_rate"] <= 1


def test_each_threshold_is_the_better_one_on_its_own_validation_pairs(compared):
    _, report, _ = compared
    (thresholds,) = report["thresholds"].values()
    assert report["baselines"]["background_subtraction"]["threshold"] == thresholds[0]
    for place, pairs in enumerate(("clean", "perturbed")):
        (block,) = blocks_of(report, "generalisation", split="validation", pairs=pairs)
        iou = [block["rows"][row]["mask_iou"] for row in ROWS[:2]]
        assert iou[place] == max(iou)


def test_generalisation_is_over_all_splits(compared):
    _, report, _ = compared
    clean = blocks_of(report, "generalisation", pairs="clean")
    assert [(b["split"], b["examples"], b["whole_split"]) for b in clean] == [
        ("train", 16, 48),
        ("cross", 4, 4),
        ("validation", 8, 8),
        ("test", 12, 12),
    ]
    assert len(blocks_of(report, "generalisation", pairs="perturbed")) == 4
    assert clean[-1] == report["test"][0]


def test_a_compared_run_has_the_figures_that_it_has_alone(compared, dnn15, trained):
    """Though it is fed another size, and the perturbed pairs are made anew."""
    _, report, _ = compared
    alone = read(dnn15)
    assert report["network"] == pytest.approx(read(trained)["network"], rel=1e-5)
    assert report["networks"]["dnn15"] == alone["networks"]["dnn15"]
    assert report["networks"]["dnn15"]["parameters"] == 305_728
    for together, single in zip(report["test"], alone["test"], strict=True):
        assert together["rows"]["dnn15"] == pytest.approx(
            single["rows"]["dnn15"], rel=1e-4, abs=1e-6
        )


def test_the_time_of_a_pair_is_measured(compared):
    _, report, _ = compared
    timing = report["timing"]
    assert timing["picture"] == [64, 64]
    assert set(timing["milliseconds"]) == {ROWS[0], "eigen", "dnn15"}
    assert all(0 < value < 60_000 for value in timing["milliseconds"].values())


def test_both_tables_are_printed_and_kept(compared):
    printed, _, workdir = compared
    text = (workdir / "report.md").read_text()
    tables = [line for line in text.splitlines() if line.startswith(("|", "## "))]
    assert [line for line in tables if line.startswith("## ")] == [
        "## test of miniset/sample/1.0.0",
        "## Generalisation on miniset/sample/1.0.0",
    ]
    assert len([line for line in tables if "dnn15" in line]) == 3 + 4
    for line in tables:
        assert line in printed
    assert "305,728" in text


def test_several_data_sets_have_a_block_each_and_one_together(two_sets, tmp_path):
    names = "miniset/sample,miniset/other"
    main.run(settings_of(tmp_path, two_sets, dataset=names, report="short"))
    report = read(tmp_path)
    assert {block["pairs"] for block in report["test"]} == {"clean"}
    one, other, together = blocks_of(report, "test", pairs="clean")
    assert together["dataset"] == "all data sets"
    assert together["examples"] == report["examples"] == 24
    # Both are the same, and so is their union.
    for block in (other, together):
        for row, found in one["rows"].items():
            assert block["rows"][row] == pytest.approx(found, rel=1e-5)
    assert report["network"]["mask_iou"] == together["rows"]["dnn15"]["mask_iou"]
    assert "## test of all data sets" in (tmp_path / "report.md").read_text()


@pytest.fixture
def evaluate(compared, data_dir, tmp_path):
    """A function of --compare that evaluates the trained run."""
    fields = json.loads((compared[2] / "run.json").read_text())["settings"]

    def run(others):
        changes = {"mode": "evaluate", "workdir": str(compared[2]), "compare": others}
        main.run(Settings(**(fields | changes)))

    return run


def broken(dnn15, folder, change):
    shutil.copytree(dnn15, folder)
    change(folder)
    return str(folder)


def other_data(folder):
    path = folder / "run.json"
    record = json.loads(path.read_text())
    record["identity"] |= {"dataset": "fgbg/streets/1.0.0", "fingerprint": "0" * 16}
    path.write_text(json.dumps(record))


def no_checkpoints(folder):
    shutil.rmtree(folder / "checkpoints")


def no_json(folder):
    (folder / "run.json").write_text("{")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (shutil.rmtree, "other: no run.json of a run is there"),
        (no_json, "other: no run.json of a run is there"),
        (
            other_data,
            "other: it was trained on fgbg/streets/1.0.0 .*, this run on mini",
        ),
        (no_checkpoints, "other: workdir .*other has no checkpoint; train first"),
    ],
)
def test_a_run_that_cannot_be_compared_is_told(
    evaluate, dnn15, tmp_path, change, message
):
    with pytest.raises(UserError, match=message):
        evaluate(broken(dnn15, tmp_path / "other", change))


def damaged(folder):
    for path in folder.glob("checkpoints/*.data*"):
        path.write_bytes(b"")


def test_damaged_checkpoints_of_a_compared_run_are_named(
    evaluate, dnn15, tmp_path, caplog
):
    with pytest.raises(UserError, match=r"other: no checkpoint in .* can be read"):
        evaluate(broken(dnn15, tmp_path / "other", damaged))
    assert "other/checkpoints/ckpt-" in caplog.text
    assert "is damaged" in caplog.text


def test_a_run_named_twice_is_told(evaluate, dnn15):
    with pytest.raises(UserError, match="names a run twice"):
        evaluate(f"{dnn15},{dnn15}")


def test_a_sample_of_a_split_is_spread_evenly(data_dir):
    mixture = data.open_mixture("miniset/sample", data_dir)
    (builder,) = mixture

    def masks(split):
        pictures = mixture.with_split(split).read_pictures(("mask",))
        return [picture["mask"].tobytes() for picture in pictures]

    whole = masks("train")
    assert data.sample_split(builder, "train", 48) == "train"
    places = list(map(whole.index, masks(data.sample_split(builder, "train", 6))))
    np.testing.assert_allclose(places, np.linspace(0, 47, 6), atol=1)
    inner = data.sample_split(builder, "train[12:36]", 4)
    assert mixture.with_split(inner).count() == 4
    places = list(map(whole.index, masks(inner)))
    np.testing.assert_allclose(places, np.linspace(12, 35, 4), atol=1)
