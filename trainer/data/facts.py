"""What a data set's files say of its origin, for those who publish a network."""

from __future__ import annotations

import dataclasses
import json

from trainer.data.datasets import Builder

NOT_KNOWN = "not known"
# Addresses of licences, as Croissant has them, to the names that model hubs have.
_NAMES = {"https://www.apache.org/licenses/LICENSE-2.0": "apache-2.0"}


@dataclasses.dataclass(frozen=True)
class Facts:
    """What is known of a data set's origin; `NOT_KNOWN` where nothing is.

    Attributes:
      labels: The network that labelled depth, and its licence.
      labels_licence: That licence: a name of SPDX, or a sentence; empty if no network
        labelled.
      licence: Of the pictures: a name that model hubs know, or a sentence.
      fingerprint: Sixteen digits of the digest of all that decides its bytes.
    """

    labels: str
    labels_licence: str
    licence: str
    fingerprint: str


def read_facts(builder: Builder) -> Facts:
    """Reads what a data set says of its origin.

    Args:
      builder: The data set. The metadata that `fgbg_tfds` writes, and a licence in
        croissant.json or in TFDS's own record of it, are understood.
    """
    metadata = dict(builder.info.metadata or {})
    return Facts(
        *_describe_labels(metadata.get("teacher")),
        _read_licence(builder),
        str(metadata.get("fingerprint", NOT_KNOWN))[:16],
    )


def _describe_labels(teacher: object) -> tuple[str, str]:
    if not isinstance(teacher, dict) or "name" not in teacher:
        return NOT_KNOWN, NOT_KNOWN
    if "weights_sha256" not in teacher:  # no teacher
        return str(teacher["name"]), ""
    digest = str(teacher["weights_sha256"])[:12]
    scale = "metric" if teacher.get("metric") else "right up to a factor"
    licence = str(teacher.get("licence", NOT_KNOWN))
    return f"{teacher['name']} ({digest}, {scale}, {licence})", licence


def _read_licence(builder: Builder) -> str:
    try:
        text = (builder.data_path / "croissant.json").read_text()
        licence = json.loads(text).get("license")
    except (OSError, ValueError, AttributeError):
        licence = None
    if isinstance(licence, list):
        licence = ", ".join(map(str, licence))
    if not licence:
        record = builder.info.redistribution_info
        licence = record.license if record else None
    return _NAMES.get(licence, licence) if licence else NOT_KNOWN
