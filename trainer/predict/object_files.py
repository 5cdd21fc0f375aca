"""Objects in files: a line of JSON for a frame, COCO's results, a time line."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import numpy as np

from trainer.extras import import_extra
from trainer.files import name_failures
from trainer.predict.answers import Answer
from trainer.predict.frames import Frame
from trainer.predict.objects import Object, find_objects
from trainer.predict.timeline import Timeline
from trainer.predict.tracking import Tracker

OBJECTS, COCO, TIMELINE = "objects.jsonl", "objects_coco.json", "timeline.png"
OBJECT_KINDS = {"objects": (OBJECTS, TIMELINE), "coco": (COCO,)}
NEW_THING = 1  # the one category of COCO's results


class ObjectsWriter:
    """Finds the objects of frames in their order, and writes them as they come.

    Whatever ends it, `objects.jsonl` has whole lines, and `objects_coco.json` is
    closed.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        kinds: tuple[str, ...],
        min_area: int | None,
        session: str = "",
    ):
        """Prepares files; nothing is written before the first frame.

        Args:
          folder: Gets the files.
          kinds: Some of `OBJECT_KINDS`.
          min_area: Pixels that an object has at least; see `find_objects`.
          session: Names what a live camera's begins anew: the time line and COCO's
            results; lines are added to those that are there.

        Raises:
          UserError: If pycocotools, which the kind `coco` needs, is not installed.
        """
        self._folder, self._kinds = folder, kinds
        self._min_area, self._go_on = min_area, bool(session)
        self._coco, self._timeline_path = (
            folder / name_session(name, session) for name in (COCO, TIMELINE)
        )
        self._encode = _import_encoder() if "coco" in kinds else None
        self._tracker, self._timeline = Tracker(), Timeline()
        self._files: dict[str, Any] = {}
        self._number = 0  # of frames
        self._results = 0

    def add(self, frame: Frame, answer: Answer) -> None:
        """Adds the next frame.

        Raises:
          UserError: If a file cannot be written, as when the disk is full.
        """
        objects = self._tracker(find_objects(answer, self._min_area))
        with name_failures(self._folder):
            if not self._files:
                self._open()
            if "objects" in self._kinds:
                line = describe_frame(frame, objects)
                self._files[OBJECTS].write(json.dumps(line) + "\n")
                self._files[OBJECTS].flush()
            for each in objects if self._encode else ():
                result = self._describe_result(frame, each, answer.mask.shape)
                before = ",\n" if self._results else ""
                self._files[COCO].write(before + json.dumps(result))
                self._results += 1
        time = self._number if frame.seconds is None else frame.seconds
        self._timeline.add(time, [each.distance for each in objects])
        self._timeline.in_seconds = frame.seconds is not None
        self._number += 1

    def __enter__(self):
        return self

    def __exit__(self, *details):
        with name_failures(self._folder):
            for name, file in self._files.items():
                if name == COCO:
                    file.write("\n]\n")
                file.close()
                if name == COCO:
                    _name_part(self._coco).replace(self._coco)
        if self._number and "objects" in self._kinds:
            self._timeline.draw(self._timeline_path)

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        if "objects" in self._kinds:
            mode = "a" if self._go_on else "w"
            self._files[OBJECTS] = (self._folder / OBJECTS).open(mode, encoding="utf-8")
        if "coco" in self._kinds:
            self._files[COCO] = _name_part(self._coco).open("w", encoding="utf-8")
            self._files[COCO].write("[\n")

    def _describe_result(self, frame: Frame, each: Object, size: tuple) -> dict:
        inside = np.zeros(size, np.uint8, order="F")
        inside[each.window] = each.inside
        assert self._encode
        return {
            "image_id": int(frame.name) if frame.name.isdecimal() else frame.name,
            "category_id": NEW_THING,
            "bbox": list(each.box),
            "segmentation": self._encode(inside),
            "score": round(each.score, 4),
        }


def describe_frame(frame: Frame, objects: list[Object]) -> dict[str, Any]:
    """Describes the objects of a frame, as a line of `objects.jsonl` holds them."""
    line: dict[str, Any] = {"frame": frame.name}
    if frame.seconds is not None:
        line["time"] = round(frame.seconds, 3)
    if frame.clock is not None:
        line["clock"] = frame.clock
    return line | {"objects": [describe_object(each) for each in objects]}


def describe_object(each: Object) -> dict[str, Any]:
    """Describes an object: pixels, metres, and shares of 1."""
    return {
        "id": each.identity,
        "box": list(each.box),
        "area": each.area,
        "centre": [round(part, 1) for part in each.centre],
        "distance": round(each.distance, 2),
        "share": round(each.share, 5),
        "score": round(each.score, 3),
    }


def name_session(name: str, session: str) -> str:
    """Names a file of one session of a live camera; of others it is the name itself."""
    stem, dot, suffix = name.partition(".")
    return f"{stem}_{session}{dot}{suffix}" if session else name


def _name_part(path: pathlib.Path) -> pathlib.Path:
    return path.with_name(f"{path.name}.part")


def _import_encoder():
    mask = import_extra("pycocotools.mask", "coco", "--write=coco")

    def encode(inside: np.ndarray) -> dict[str, Any]:
        found: Any = mask.encode(inside)
        return {"size": found["size"], "counts": found["counts"].decode("ascii")}

    return encode
