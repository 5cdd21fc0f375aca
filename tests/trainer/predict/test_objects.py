"""Objects: their boxes, distances and identities, and the files that hold them."""

import importlib.util
import json

import numpy as np
import pytest

from trainer.predict import __main__ as predict
from trainer.predict.answers import Answer
from trainer.predict.objects import find_objects
from trainer.predict.tracking import Tracker


def make_answer(*boxes, metres=10):
    """An answer of 100 x 160 with boxes (left, top, width, height) that are new."""
    mask = np.zeros((100, 160), np.uint8)
    depth = np.full((100, 160), 40 * 256, np.uint16)
    for left, top, width, height in boxes:
        place = np.s_[top : top + height, left : left + width]
        mask[place] = 250
        depth[place] = metres * 256
    return Answer(mask, depth)


def test_an_object_has_its_box_area_centre_and_share():
    (found,) = find_objects(make_answer((20, 30, 10, 40)))
    assert found.box == (20, 30, 10, 40) and found.area == 400
    assert found.centre == (24.5, 49.5)
    assert found.share == 400 / 16000
    assert found.score == pytest.approx(250 / 255)


def test_its_distance_is_that_of_its_lower_part():
    answer = make_answer((20, 30, 10, 40))
    answer.depth[30:55, 20:30] = 60 * 256  # its upper part is seen through
    (found,) = find_objects(answer)
    assert found.distance == 10


def test_specks_are_left_out_and_small_gaps_bridged():
    answer = make_answer((5, 5, 2, 2), (60, 20, 20, 20), (60, 41, 20, 20))
    (found,) = find_objects(answer)
    assert found.box == (60, 20, 20, 41) and found.area == 800
    assert len(find_objects(answer, min_area=1)) == 2
    assert not find_objects(answer, min_area=900)


def test_identities_stay_where_things_meet_no_other():
    track, seen = Tracker(), []
    for step in range(12):
        boxes = [(5 + 9 * step, 10, 20, 20), (120 - 9 * step, 60, 20, 20)]
        if step == 6:  # one is lost from sight for a frame
            boxes = boxes[:1]
        objects = track(find_objects(make_answer(*boxes)))
        seen.append({each.box[1]: each.identity for each in objects})
    assert {frame[10] for frame in seen} == {seen[0][10]}
    assert {frame[60] for frame in seen if 60 in frame} == {seen[0][60]}


def test_what_comes_later_is_another():
    track = Tracker()
    (first,) = track(find_objects(make_answer((10, 10, 20, 20))))
    for _ in range(20):
        track(find_objects(make_answer()))
    (second,) = track(find_objects(make_answer((10, 10, 20, 20))))
    assert (first.identity, second.identity) == (1, 2)


def test_a_command_writes_a_line_for_each_frame_and_a_time_line(shots, models, read):
    folder, new = shots
    flags = [f"--model={models / 'any'}", f"--background={folder / 'empty.png'}"]
    flags += [f"--out={folder / 'out'}", "--write=objects", "--fps=2"]
    assert predict.main([*flags, str(folder / "my frames")]) == 0
    text = (folder / "out" / "objects.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["frame"] for line in lines] == list("abc")
    assert [line["time"] for line in lines] == [0, 0.5, 1]
    for line in lines:
        (found,) = line["objects"]
        assert found["area"] == new[line["frame"]].sum()
        assert found["distance"] == 5
        assert found["box"][1:] == [20, 20, 20]
    assert read(folder / "out" / "timeline.png").std() > 10
    assert not (folder / "out" / "mask").exists()


def test_coco_results_hold_the_masks(shots, models):
    pytest.importorskip("pycocotools")
    from pycocotools import mask

    folder, new = shots
    flags = [f"--model={models / 'any'}", f"--background={folder / 'empty.png'}"]
    flags += [f"--out={folder / 'out'}", "--write=coco"]
    assert predict.main([*flags, str(folder / "my frames")]) == 0
    results = json.loads((folder / "out" / "objects_coco.json").read_text())
    assert len(results) == 3
    for result in results:
        inside = mask.decode(result["segmentation"])
        np.testing.assert_array_equal(inside > 0, new[result["image_id"]])
        box = mask.toBbox(result["segmentation"])
        assert list(box) == result["bbox"]


@pytest.mark.skipif(
    importlib.util.find_spec("pycocotools") is not None, reason="it is installed"
)
def test_coco_without_its_library_says_what_to_install(shots, models, capsys):
    folder, _ = shots
    flags = [f"--model={models / 'any'}", f"--background={folder / 'empty.png'}"]
    assert predict.main([*flags, "--write=coco", str(folder / "my frames")]) == 1
    assert "pip install" in capsys.readouterr().err
