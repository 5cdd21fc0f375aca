"""The model card of an exported network, in the form that model hubs read.

The front matter has the fields of Hugging Face's model cards,
https://huggingface.co/docs/hub/model-cards.
"""

from __future__ import annotations

import json
import pathlib
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from trainer.data import Builder, Facts, read_facts
from trainer.evaluate import format_report, format_table
from trainer.export.card_text import (
    ANSWERED,
    ANSWERED_AT,
    LIMITS,
    SPREAD,
    TEXT,
    UNMEASURED,
)
from trainer.files import write_atomically
from trainer.pretrained import choose_share
from trainer.runs import Run
from trainer.shipped import PRETRAINED

FILE_NAME = "README.md"  # where hubs look
WIDTH = 88  # of its lines
UNKNOWN = "unknown"  # a licence that hubs know by this name
OPEN_LICENCE = "apache-2.0"  # of this package, its pretrained weights and drawings
_MASK = ("mask_iou", "mask_f", "mask_boundary_f", "mask_false_positive_rate")
_DEPTH = ("depth_abs_rel", "depth_rmse", "depth_silog", "depth_delta_1")
_TASKS = (
    ("image-segmentation", "New pixels before a fixed camera", _MASK),
    ("depth-estimation", "Depth, against the labels of a teacher network", _DEPTH),
)


def write_card(folder: pathlib.Path, run: Run, description: Mapping[str, Any]) -> None:
    """Writes a network's card, `README.md`.

    A card that is there stays, since its owner may have added to it, unless it is as it
    was written before the network was measured.

    Args:
      folder: Folder of the SavedModel.
      run: The exported run. Figures are those of its metrics.json, if they are of the
        same step and data.
      description: That of `trainer.export.description.describe`.

    Raises:
      UserError: If it cannot be written.
    """
    path = folder / FILE_NAME
    if path.exists() and path.read_text("utf-8") != _format_card(
        run, description, None
    ):
        return
    write_atomically(path, _format_card(run, description, _read_metrics(run)))


def _format_card(
    run: Run, description: Mapping[str, Any], metrics: dict[str, Any] | None
) -> str:
    facts = [read_facts(builder) for builder in run.mixture]
    licence = _find_licence(run, facts)
    front = yaml.safe_dump(
        _describe(run, metrics, licence), sort_keys=False, allow_unicode=True
    )
    text = TEXT.format(
        **dict(description)
        | {
            "spread": SPREAD if description.get("spread") else "",
            "answered": _describe_answers(description),
            "start": textwrap.fill(_describe_start(run), WIDTH),
            "data": _format_data(run, facts),
            "figures": _format_figures(metrics, run.model) if metrics else UNMEASURED,
            "limits": LIMITS,
            "licence": textwrap.fill(_explain_licence(licence), WIDTH),
        }
    )
    return f"---\n{front}---\n\n{text}"


def _read_metrics(run: Run) -> dict[str, Any] | None:
    """Reads the run's figures, without those of other networks that stood beside it."""
    try:
        metrics = json.loads((run.folder / "metrics.json").read_text("utf-8"))
        named = metrics["step"], metrics["fingerprint"], metrics["model"]
        if named != (run.step, run.mixture.fingerprint, run.model):
            return None
        own, *others = metrics["networks"]
        for block in (*metrics["test"], *metrics["generalisation"]):
            rows = {n: f for n, f in block["rows"].items() if n not in others}
            block["rows"] = {run.model if n == own else n: f for n, f in rows.items()}
        metrics["networks"] = {run.model: metrics["networks"][own]}
        took = metrics["timing"]["milliseconds"]
        took[run.model] = took.get(own)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # not measured, or by a version of this program before
    return metrics


def _describe(run: Run, metrics: dict[str, Any] | None, licence: str) -> dict[str, Any]:
    """Describes a run in the fields of a hub's front matter."""
    names = [builder.info.full_name for builder in run.mixture]
    fields: dict[str, Any] = {
        "license": licence,
        "library_name": "tensorflow",
        "pipeline_tag": "image-segmentation",
        "tags": [
            *("fixed-camera", "background-subtraction", "change-detection"),
            *("depth-estimation", "saved-model", run.model),
        ],
        "datasets": [name.rsplit("/", 1)[0] for name in names],
    }
    if metrics:
        fields["metrics"] = [*_MASK, *_DEPTH]
        results = [
            result
            for block in metrics["test"]
            for result in _list_results(block, run.model)
        ]
        fields["model-index"] = [{"name": f"fgbg-{run.model}", "results": results}]
    return fields


def _list_results(block: Mapping[str, Any], model: str):
    """Lists what a block says of a network, in the fields of a model-index."""
    name = block["dataset"]
    for task, title, chosen in _TASKS:
        found = block["rows"][model]
        metrics = [
            {"type": figure, "name": figure, "value": round(found[figure], 6)}
            for figure in chosen
            if figure in found
        ]
        if metrics:
            yield {
                "task": {"type": task, "name": title},
                "dataset": {
                    "type": name.rsplit("/", 1)[0],
                    "name": f"{name}, {block['pairs']} pairs",
                    "split": block["split"],
                },
                "metrics": metrics,
            }


def _find_licence(run: Run, facts: Sequence[Facts]) -> str:
    """Finds the licence of the weights, if all that they were made of is open."""
    open_start = run.settings.init in ("", PRETRAINED)
    open_data = all(
        each.licence == OPEN_LICENCE
        and each.labels_licence.lower() in ("", OPEN_LICENCE)
        for each in facts
    )
    return OPEN_LICENCE if open_start and open_data else UNKNOWN


def _explain_licence(licence: str) -> str:
    if licence == OPEN_LICENCE:
        return (
            "Apache-2.0: that of the program, of the drawings or pictures that it was "
            "trained on, and of the weights that it began with, if it did."
        )
    return (
        "Not known to the program that wrote this: the licences of the pictures that "
        "the network was trained on (see the table of data) and of the weights it "
        "began with decide it. Say it here, and in `license:` above, before you "
        "publish the network. The program itself is under Apache-2.0."
    )


def _describe_start(run: Run) -> str:
    init = run.settings.init
    if not init:
        return "Its training began with random weights."
    if init == PRETRAINED:
        start = (
            "the pretrained network of the package (`--init=pretrained`), whose own "
            "card, `trainer/pretrained/README.md`, says what that was trained on"
        )
    else:
        start = (
            f"the weights of another training, `{pathlib.Path(init).name}`; what that "
            "was trained on is not known here"
        )
    share = choose_share(run.settings, run.mixture.foregrounds)
    kept = f", and keep a share of {share:.2g} of it" if share else ""
    return f"Its weights began as {start}{kept}."


def _describe_answers(description: Mapping[str, Any]) -> str:
    size = description["answer_size"]
    return ANSWERED_AT.format(*size) if size else ANSWERED


def _format_data(run: Run, facts: Sequence[Facts]) -> str:
    used = {
        "trained on": run.settings.train_split,
        "thresholds of baselines from": run.settings.validation_split,
        "measured on": run.settings.test_split,
    }
    rows = [
        [
            builder.info.full_name,
            _format_splits(builder),
            *(known.labels, known.licence, known.fingerprint),
        ]
        for builder, known in zip(run.mixture, facts, strict=True)
    ]
    head = ["data set", "examples", "labels of depth", "licence", "fingerprint"]
    splits = "; ".join(f"{use} `{split}`" for use, split in used.items())
    return "\n".join([*format_table(head, rows), "", f"Splits: {splits}."])


def _format_splits(builder: Builder) -> str:
    return ", ".join(f"{n} {s.num_examples:,}" for n, s in builder.info.splits.items())


def _format_figures(metrics: dict[str, Any], model: str) -> str:
    lines = format_report(metrics).splitlines()[2:]  # it has a title of its own
    rows = [f"#{line}" if line.startswith("## ") else line for line in lines]
    return "\n".join([f"`{model}` beside its baselines.", "", *rows]).strip()
