import json
import pathlib
import re
import shutil
import subprocess

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from trainer import data, main
from trainer.augment import Augmentation
from trainer.errors import UserError

ROOT = pathlib.Path(__file__).parents[3]


def test_a_run_leaves_its_record(trained, history):
    lines = history(trained)
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]
    for line in lines:
        assert line["loss"] == pytest.approx(
            2 * line["mask_loss"]
            + line["depth_loss"]
            + 0.5 * (2 * line["coarse_mask_loss"] + line["coarse_depth_loss"]),
            rel=1e-5,
        )
        assert line["learning_rate"] > 0
        assert line["examples_per_second"] > 0
        seconds = line["seconds_waiting"] + line["seconds_computing"]
        assert line["examples_per_second"] == pytest.approx(8 / seconds)
        assert line["waiting"] == pytest.approx(line["seconds_waiting"] / seconds)
        assert 0 <= line["mask_iou"] <= 1
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert sorted(path.name for path in (trained / "checkpoints").glob("*.index")) == [
        "ckpt-2.index",
        "ckpt-4.index",
        "ckpt-6.index",
    ]


def test_a_run_leaves_its_report(trained):
    report = json.loads((trained / "metrics.json").read_text())
    assert report["examples"] == 12
    assert report["step"] == 6
    assert report["dataset"] == "miniset/sample/1.0.0"
    baselines = report["baselines"]
    assert baselines["background_subtraction"]["mask_iou"] > 0.9
    assert (
        baselines["mean_depth_map"].keys() | baselines["background_subtraction"].keys()
    )
    assert {"mask_iou", "mask_f", "depth_abs_rel", "depth_silog"} <= set(
        report["network"]
    )
    assert 0 < report["network"]["depth_rmse"] < 80
    with PIL.Image.open(trained / "predictions.png") as picture:
        assert picture.width > 800
        assert picture.convert("L").getextrema()[0] < 50


def test_tensorboard_gets_scalars_pictures_and_settings(trained):
    (path,) = (trained / "tensorboard").glob("events*")
    found = {}
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        event = tf.compat.v1.Event.FromString(record)
        for value in event.summary.value:
            found.setdefault(value.tag, []).append(event.step)
    curves = (
        *("loss/all", "loss/coarse_mask", "loss/coarse_depth"),
        *("loss/fine_mask", "loss/fine_depth", "training/mask_iou"),
        *("training/learning_rate", "speed/examples_per_second"),
        *("speed/seconds_waiting", "speed/seconds_computing"),
    )
    assert all(found[tag] == [1, 2, 3, 4, 5, 6] for tag in curves)
    assert found["validation/mask_iou"] == found["validation/score"] == [2, 4, 6]
    for picture in ("composite", "mask", "depth"):
        assert found[f"held_out/{picture}"] == [3, 6]
    assert "settings" in found
    assert "dataset" in found


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dataset": "fgbg/nowhere"}, r"built there: .*miniset/sample"),
        ({"test_split": "test[:0]"}, "split .* is empty"),
        ({"image_size": "100"}, "multiple of 32"),
        ({"image_size": "big"}, "is no size"),
        ({"mode": "evaluate"}, "has no checkpoint"),
        ({"recipe": "paper", "coarse_steps": 2}, "leaves the fine stack nothing"),
        ({"recipe": "paper", "model": "refine"}, "is for the network eigen"),
        ({"model": "refine", "small_size": "tiny"}, "--small_size=tiny is no size"),
        ({"life_without": "shake"}, "add --augment=life"),
        (
            {"augment": "life", "batch_size": 6},
            "--batch_size=6 .* 6 pairs.* multiple of 4",
        ),
        ({"compare": "nowhere"}, "--compare=nowhere: no run.json"),
        ({"dataset_shares": "1,2"}, "--dataset_shares has 2 numbers for 1"),
        ({"augment": "life", "life_without": "shade"}, "no shade; there are empty"),
        ({"strategy": "parameter_server"}, "refused"),
        ({"strategy": "multi_worker"}, "TF_CONFIG"),
        ({"strategy": "tpu"}, "no TPU"),
        ({"coarse_weights": "nowhere.npz"}, "--coarse_weights=nowhere.npz cannot be"),
        ({"init": "nowhere"}, "--init=nowhere: no run.json of a run is there"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(
    settings, tmp_path, changes, message
):
    with pytest.raises(UserError, match=message):
        main.run(settings(**changes))
    assert list(tmp_path.iterdir()) == []


def test_a_corrected_command_takes_the_workdir_of_the_mistaken_one(settings, tmp_path):
    """The workdir used to be claimed by the run that was refused."""
    with pytest.raises(UserError, match="multiple of 32"):
        main.run(settings(image_size="100"))
    main.run(settings(image_size="64", mode="train", train_steps=1))
    assert (tmp_path / "export" / "1" / "saved_model.pb").exists()


def test_a_finished_run_is_not_trained_again_with_other_settings(
    settings, trained, tmp_path
):
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    same = {
        **{"coarse_units": 16, "batch_size": 8, "train_steps": 6, "log_steps": 1},
        **{"checkpoint_steps": 2, "summary_steps": 3, "deterministic": True},
    }
    before = (tmp_path / "run.json").read_bytes()
    for changes in ({"learning_rate": 0.01}, {"train_steps": 4}, {"edge_weight": 2.0}):
        (name,) = changes
        with pytest.raises(UserError, match=f"holds a finished run with {name} "):
            main.run(settings(**same | changes))
    # Settings of its use may change: the same weights are reported on again.
    main.run(settings(**same, report="full", report_examples=8))
    assert (tmp_path / "run.json").read_bytes() == before
    assert "Generalisation" in (tmp_path / "report.md").read_text()


def test_a_run_that_is_not_finished_may_go_on_with_other_settings(settings, tmp_path):
    """As the error of a diverged loss recommends."""
    with pytest.raises(UserError, match="Try a lower --learning_rate"):
        rate = {"learning_rate": 1e30, "warmup_steps": 0, "precision": "float32"}
        main.run(settings(train_steps=4, **rate))
    main.run(settings(train_steps=4, precision="float32"))
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["settings"]["learning_rate"] == 1e-3


def test_a_workdir_of_another_run_is_refused(settings, trained):
    with pytest.raises(UserError, match="holds a run with coarse_units 16, not 8"):
        main.run(settings(workdir=str(trained)))


def test_a_loss_that_is_no_number_stops_the_run(command, data_dir, tmp_path):
    """The error names step and examples, so that they can be looked at."""
    done = subprocess.run(
        command(
            tmp_path,
            *("--learning_rate=1e30", "--warmup_steps=0", "--precision=float32"),
            "--logical_devices=2",
        ),
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert re.match(
        "error: the loss is (nan|inf) at step 2, on all of its batch: ", last
    )
    named = re.findall(r"miniset/sample (train\[\d+:\d+\])", last)
    assert len(named) == 8
    mixture = data.open_mixture("miniset/sample", data_dir)
    batch = next(iter(data.make_training_batches(
        mixture, size=(64, 64), batch_size=8, first_step=1,
        augmentation=Augmentation(zoom=1.0, colour=0.0, flip=False),
    )))  # fmt: skip
    seen = {bg.numpy().astype("uint8").tobytes() for bg in batch["bg"]}
    assert seen == {
        picture["bg"].tobytes()
        for split in named
        for picture in mixture.with_split(split).read_pictures(("bg",))
    }


@pytest.mark.slow
def test_a_step_compiled_by_xla_does_the_same(settings, tmp_path, history):
    losses = []
    for xla in (False, True):
        place = tmp_path / str(xla)
        same = {"model": "dnn15", "image_size": "32", "precision": "float32"}
        main.run(settings(workdir=str(place), xla=xla, log_steps=1, **same))
        losses.append([line["loss"] for line in history(place)])
    np.testing.assert_allclose(*losses, rtol=1e-4)


def test_what_xla_cannot_compile_is_told_in_one_line(command, tmp_path):
    """Statistics over all devices are not to be had within a compiled step."""
    flags = ("--model=dnn15", "--image_size=32", "--xla", "--logical_devices=2")
    done = subprocess.run(
        command(tmp_path, *flags), cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "--xla: the step of --model=dnn15 cannot be compiled" in last


def test_the_original_s_network_trains_too(settings, tmp_path, history):
    main.run(settings(model="dnn15", image_size="32", ssim=0.5))
    report = json.loads((tmp_path / "metrics.json").read_text())
    assert report["model"] == "dnn15"
    assert 0 < report["network"]["depth_rmse"] < 80
    assert [line["step"] for line in history(tmp_path)] == [1, 2]


def test_the_paper_s_recipe_trains_one_stack_after_the_other(
    settings, tmp_path, weights
):
    main.run(
        settings(
            recipe="paper", coarse_steps=1, checkpoint_steps=1, ema=0.0, dropout=0.0
        )
    )
    first, second = weights(tmp_path, 1), weights(tmp_path, 2)
    changed = {
        name
        for name in first
        if name.startswith("network/") and not np.array_equal(first[name], second[name])
    }
    assert len(changed) == 6  # kernel and bias of fine_1, fine_3 and fine_4


def test_the_command_line_tells_a_mistake_in_one_line(command, tmp_path):
    done = subprocess.run(
        command(tmp_path, "--dataset=fgbg/nowhere"),
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: data set fgbg/nowhere is not in")
    assert "miniset/sample" in last
