"""The card of an exported network."""

import dataclasses
import io
import json
import shutil
import types

import pytest
import tensorflow as tf
import yaml
from PIL import Image

from trainer import data, runs
from trainer.export import export
from trainer.export.card import write_card
from trainer.export.description import describe
from trainer.settings import Settings


def read_card(folder):
    """Reads the front matter of a card, and its text."""
    _, front, text = (folder / "README.md").read_text("utf-8").split("---\n", 2)
    return yaml.safe_load(front), text


def join(text):
    return " ".join(text.split())


@pytest.fixture(scope="module")
def run(trained, tmp_path_factory):
    """A run, opened in a folder of its own."""
    workdir = shutil.copytree(trained, tmp_path_factory.mktemp("card") / "run")
    fields = json.loads((workdir / "run.json").read_text())["settings"]
    settings = Settings(**fields | {"workdir": str(workdir)})
    mixture = data.open_mixture(settings.dataset, settings.data_dir)
    return runs.open_run(settings, mixture, tf.distribute.get_strategy())


def test_a_card_is_one_that_hubs_read(trained):
    front, text = read_card(trained / "export" / "1")
    assert front["license"] == "unknown"
    assert front["pipeline_tag"] == "image-segmentation"
    assert front["datasets"] == ["miniset/sample"]
    metrics = json.loads((trained / "metrics.json").read_text())
    (index,) = front["model-index"]
    mask, depth = index["results"]
    assert mask["task"]["type"] == "image-segmentation"
    assert depth["task"]["type"] == "depth-estimation"
    assert mask["dataset"]["split"] == "test"
    for result in (mask, depth):
        for each in result["metrics"]:
            measured = metrics["network"][each["type"]]
            assert each["value"] == pytest.approx(measured, abs=1e-6)
    assert "step 6 of a training on miniset/sample/1.0.0" in join(text)
    assert "began with random weights" in text
    assert f"| {metrics['network']['mask_iou']:.3f} |" in text
    assert "train 48" in text and "Splits: trained on `train`" in text
    assert "not known" in text
    assert str(trained.parent) not in text


def test_the_lines_of_a_card_ask_the_network(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(trained)
    _, text = read_card(trained / "export" / "1")
    lines = text.split("```python\n")[1].split("```")[0]
    for name in ("empty.jpg", "frame.jpg"):
        memory = io.BytesIO()
        Image.new("RGB", (64, 64), (90, 90, 90)).save(memory, "JPEG")
        (tmp_path / name).write_bytes(memory.getvalue())
        lines = lines.replace(name, str(tmp_path / name))
    found = {}
    exec(lines, found)
    assert found["new"].shape == found["metres"].shape == (64, 64, 1)


def test_a_card_learns_figures_and_keeps_what_its_owner_wrote(run, tmp_path):
    description = describe(run, (64, 64))
    metrics = run.folder / "metrics.json"
    known = json.loads(metrics.read_text())
    metrics.write_text(json.dumps(known | {"step": 4}))  # of other weights
    write_card(tmp_path, run, description)
    front, text = read_card(tmp_path)
    assert "Not measured: the run has no report of this step." in text
    assert "model-index" not in front and "metrics" not in front
    # Another network beside it is no part of the card, nor is its folder.
    other = {**known["networks"]["eigen"], "workdir": "/home/me/runs/b"}
    known["networks"]["eigen, /home/me/runs/b"] = other
    for block in known["test"]:
        block["rows"]["eigen, /home/me/runs/b"] = block["rows"]["eigen"]
    metrics.write_text(json.dumps(known))
    write_card(tmp_path, run, description)
    front, text = read_card(tmp_path)
    assert len(front["model-index"][0]["results"]) == 2
    assert "/home/me" not in text
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\nmine")
    write_card(tmp_path, run, description)
    assert read_card(tmp_path) == ({"license": "mit"}, "mine")


@pytest.mark.parametrize(
    ("init", "words"),
    [
        ("pretrained", "(`--init=pretrained`), whose own card"),
        ("/home/me/runs/street", "the weights of another training, `street`; what"),
    ],
)
def test_a_card_tells_what_a_network_began_as(run, tmp_path, init, words):
    settings = dataclasses.replace(run.settings, init=init, init_share=0.25)
    begun = dataclasses.replace(run, settings=settings)
    write_card(tmp_path, begun, describe(run, (64, 64)))
    _, text = read_card(tmp_path)
    # Of three foregrounds, a training with --init_share=0.25 learns little.
    assert words in join(text) and "keep a share of 0.93" in join(text)
    assert "/home/me" not in text


APACHE = "https://www.apache.org/licenses/LICENSE-2.0"


@pytest.mark.parametrize(
    ("licence", "teacher", "found"),
    [
        (APACHE, {"licence": "Apache-2.0"}, "apache-2.0"),
        ([APACHE], {"licence": "Apache-2.0"}, "apache-2.0"),
        (APACHE, {"licence": "CC-BY-NC-4.0"}, "unknown"),
        ("That of the pictures.", {"licence": "Apache-2.0"}, "unknown"),
        (None, {"licence": "Apache-2.0"}, "unknown"),
    ],
)
def test_a_card_tells_the_licences_that_its_data_tell(
    run, tmp_path, licence, teacher, found
):
    (builder,) = run.mixture.builders
    teacher = {
        "name": "embedded",
        "weights_sha256": "ab" * 32,
        "metric": True,
    } | teacher
    info = types.SimpleNamespace(
        full_name=builder.info.full_name,
        splits=builder.info.splits,
        metadata={"teacher": teacher, "fingerprint": "c0ffee" * 10},
        redistribution_info=None,
    )
    if licence:
        (tmp_path / "croissant.json").write_text(json.dumps({"license": licence}))
    known = types.SimpleNamespace(info=info, data_path=tmp_path)
    mixture = dataclasses.replace(run.mixture, builders=(known,))
    write_card(
        tmp_path, dataclasses.replace(run, mixture=mixture), describe(run, (64, 64))
    )
    front, text = read_card(tmp_path)
    assert front["license"] == found
    assert f"embedded (abababababab, metric, {teacher['licence']})" in text
    assert "c0ffeec0ffeec0ff" in text


def test_an_export_from_before_there_was_compact_gets_a_new_version(run):
    folder = run.folder / "export"
    export(run)
    assert not (folder / "2").exists()
    record = folder / "1" / "assets.extra" / "export.json"
    described = json.loads(record.read_text())
    del described["compact"]
    record.write_text(json.dumps(described))
    export(run)
    assert json.loads((folder / "2/assets.extra/export.json").read_text())["compact"]
    assert (folder / "2" / "README.md").exists()
