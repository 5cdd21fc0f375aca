import json

import numpy as np
import pytest

from trainer.data import PAIRS
from trainer.evaluate import metrics, results, tables
from trainer.evaluate.results import Block


class FakeRun:
    """A network of nothing; only what the report says of it."""

    folder, model, step, parameters = "runs/x", "x", 7, 1234


def sums(rng, number, known=True):
    predicted = rng.uniform(0, 1, (number, 8, 8, 1)).astype(np.float32)
    mask = (rng.uniform(size=predicted.shape) < 0.5).astype(np.float32)
    depth = rng.uniform(1, 9, predicted.shape).astype(np.float32) * known
    masks = metrics.sum_mask_pixels(predicted, mask) | metrics.sum_boundary_pixels(
        predicted, mask
    )
    depths = metrics.sum_depth_errors(depth + 1, depth)
    arrays = [{n: np.asarray(v) for n, v in part.items()} for part in (masks, depths)]
    return {
        results.SUBTRACTIONS[0]: arrays[0],
        results.SUBTRACTIONS[1]: arrays[0],
        results.MEAN_DEPTH: arrays[1],
        "x": arrays[0] | arrays[1],
    }


@pytest.fixture
def blocks():
    rng = np.random.default_rng(0)
    return [
        Block(dataset, "test", pairs, number, sums(rng, number, pairs != "empty"))
        for dataset, number in (("a/1", 3), ("b/1", 5))
        for pairs in PAIRS
    ]


def report(blocks):
    thresholds = {name: (10, 20 + i) for i, name in enumerate(("a/1", "b/1"))}
    thresholds = {
        n: v for n, v in thresholds.items() if n in {b.dataset for b in blocks}
    }
    return results.summarise(blocks, {"x": FakeRun()}, thresholds, "test")


def test_all_together_is_of_all_pixels_not_of_the_two_figures(blocks):
    result = report(blocks)
    clean = {b["dataset"]: b for b in result["test"] if b["pairs"] == "clean"}
    pooled = clean[results.ALL_SETS]
    assert pooled["examples"] == result["examples"] == 8
    hits, misses, alarms = (
        sum(b.sums["x"][n].sum() for b in blocks if b.pairs == "clean")
        for n in ("hits", "misses", "false_alarms")
    )
    iou = hits / (hits + misses + alarms)
    assert pooled["rows"]["x"]["mask_iou"] == pytest.approx(iou)
    assert result["network"]["mask_iou"] == pytest.approx(iou)
    # Boundary F is a mean over pictures: three of one set and five of the other.
    parts = [clean[n]["rows"]["x"]["mask_boundary_f"] for n in ("a/1", "b/1")]
    mean = (3 * parts[0] + 5 * parts[1]) / 8
    assert pooled["rows"]["x"]["mask_boundary_f"] == pytest.approx(mean)


def test_one_data_set_is_not_pooled(blocks):
    result = report(blocks[:3])
    assert [b["dataset"] for b in result["test"]] == ["a/1"] * 3
    assert result["baselines"]["background_subtraction"]["threshold"] == 10


def test_what_is_unknown_is_left_out_and_not_nan(blocks):
    result = report(blocks)
    empty = result["test"][2]["rows"]
    assert set(empty["x"]) == {"mask_false_positive_rate"}
    assert results.MEAN_DEPTH not in empty
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_the_tables_show_every_block_and_name_the_thresholds(blocks):
    timing = {
        "batch": 1,
        "device": "2 CPU cores",
        "picture": [8, 8],
        "milliseconds": {"x": 4.25},
    }
    result = report(blocks) | {
        "dataset": "a/1,b/1", "split": "test", "model": "x", "step": 7, "timing": timing
    }  # fmt: skip
    text = tables.format_report(json.loads(json.dumps(result)))
    for dataset, levels in (("a/1", "20"), ("b/1", "21"), (results.ALL_SETS, "20/21")):
        assert f"## test of {dataset}\n" in text
        assert f"## Generalisation on {dataset}\n" in text
        assert f"background subtraction, ≥ {levels} " in text
    assert "| 8 nothing new" in text
    assert " 1,234 |       4.2 |" in text
    assert "batch 1, 2 CPU cores" in text
