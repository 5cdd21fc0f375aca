"""The catalogue of original weights: addresses, checksums, licences, folder."""

from __future__ import annotations

import dataclasses
import os
import pathlib

from fgbg_tfds.errors import InputError
from fgbg_tfds.files import expand

FOLDER_VARIABLE = "FGBG_WEIGHTS"
_NIANTIC = "https://storage.googleapis.com/niantic-lon-static/research/monodepth2"
_DENSEDEPTH = "https://s3-eu-west-1.amazonaws.com/densedepth"


@dataclasses.dataclass(frozen=True)
class Weights:
    """Weights published by others.

    Attributes:
      name: Their name in `load_teacher` and `download`.
      teacher: Their teacher.
      url: The authors' address; empty if a library fetches them.
      md5: The authors' checksum; None if they publish none.
      files: The files to keep of the download, or that the library writes.
      licence: An SPDX name where there is one.
      terms: The licence's conditions in a sentence, and its address.
    """

    name: str
    teacher: str
    url: str
    md5: str | None
    files: tuple[str, ...]
    licence: str
    terms: str


LICENCES = {
    "monodepth2": "LicenseRef-monodepth2-non-commercial",
    "densedepth": "GPL-3.0-only",
    "depth_anything": "Apache-2.0",
}
_TERMS = {
    "monodepth2": (
        "Copyright Niantic, Inc. 2018, patent pending: non-commercial use only; see "
        "https://github.com/nianticlabs/monodepth2/blob/master/LICENSE"
    ),
    "densedepth": (
        "Copyright the DenseDepth authors: GNU General Public License 3; see "
        "https://github.com/ialhashim/DenseDepth/blob/master/LICENSE"
    ),
    "depth_anything": (
        "Copyright the Depth Anything V2 authors: Apache License 2.0, for the Small "
        "weights alone; see https://github.com/DepthAnything/Depth-Anything-V2#license"
    ),
}
_MONODEPTH2_MD5 = {
    "mono_640x192": "a964b8356e08a02d009609d9e3928f7c",
    "stereo_640x192": "3dfb76bcff0786e4ec07ac00f658dd07",
    "mono+stereo_640x192": "c024d69012485ed05d7eaa9617a96b81",
    "mono_no_pt_640x192": "9c2f071e35027c895a4728358ffc913a",
    "stereo_no_pt_640x192": "41ec2de112905f85541ac33a854742d1",
    "mono+stereo_no_pt_640x192": "46c3b824f541d143a45c37df65fbab0a",
    "mono_1024x320": "0ab0766efdfeea89a0d9ea8ba90e1e63",
    "stereo_1024x320": "afc2f2126d70cf3fdf26b550898b501a",
    "mono+stereo_1024x320": "cdc5fc9b23513c07d5b19235d9ef08f7",
}


def _make_entry(
    name: str, teacher: str, url: str, md5: str | None, *files: str
) -> tuple[str, Weights]:
    return name, Weights(
        name, teacher, url, md5, files, LICENCES[teacher], _TERMS[teacher]
    )


CATALOGUE: dict[str, Weights] = dict(
    [
        *(
            _make_entry(
                name,
                "monodepth2",
                f"{_NIANTIC}/{name.replace('+', '%2B')}.zip",
                md5,
                "encoder.pth",
                "depth.pth",
            )
            for name, md5 in _MONODEPTH2_MD5.items()
        ),
        _make_entry("nyu", "densedepth", f"{_DENSEDEPTH}/nyu.h5", None, "nyu.h5"),
        _make_entry("kitti", "densedepth", f"{_DENSEDEPTH}/kitti.h5", None, "kitti.h5"),
        _make_entry(
            "depth_anything_v2_small",
            "depth_anything",
            "",
            None,
            "config.json",
            "model.weights.h5",
        ),
    ]
)
_RECOMMENDED = {
    "monodepth2": "mono+stereo_640x192",
    "densedepth": "nyu",
    "depth_anything": "depth_anything_v2_small",
}


def find_weights_folder() -> pathlib.Path:
    """Finds the folder of downloads: $FGBG_WEIGHTS, or ~/.cache/fgbg/weights."""
    return expand(os.environ.get(FOLDER_VARIABLE) or "~/.cache/fgbg/weights")


def _format_command(name: str) -> str:
    return f"python -m fgbg_tfds.depth download {name}"


def locate(teacher: str, weights: str | pathlib.Path | None) -> pathlib.Path:
    """Finds the weights that a user named.

    Args:
      teacher: The teacher's name.
      weights: A path, or a name of `CATALOGUE` that was downloaded. An existing
        path comes first.

    Returns:
      The path of a file or folder.

    Raises:
      InputError: If there are none; it names the command that downloads them.
    """
    if weights is None:
        name = _RECOMMENDED[teacher]
        raise InputError(
            f"teacher {teacher!r} needs weights; run `{_format_command(name)}` and "
            f"give weights={name!r}, or give the path of your own"
        )
    path = expand(weights)
    if path.exists():
        return path
    entry = CATALOGUE.get(str(weights))
    if entry is None:
        names = [name for name, each in CATALOGUE.items() if each.teacher == teacher]
        raise InputError(
            f"weights {str(weights)!r} are neither a path nor one of: "
            f"{', '.join(names)}"
        )
    if entry.teacher != teacher:
        raise InputError(
            f"weights {entry.name!r} are for teacher {entry.teacher!r}, not {teacher!r}"
        )
    path = find_weights_folder() / entry.name
    if not path.exists():
        raise InputError(
            f"weights {entry.name!r} are not in {find_weights_folder()}; run "
            f"`{_format_command(entry.name)}`"
        )
    return path
