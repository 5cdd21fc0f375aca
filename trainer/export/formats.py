"""The formats that a network is exported in."""

from __future__ import annotations

import dataclasses

from trainer.errors import UserError
from trainer.runtimes import LITERT, ONNX

SAVED_MODEL = "saved_model"


@dataclasses.dataclass(frozen=True)
class Format:
    """A format for another runtime than TensorFlow.

    Attributes:
      name: What users call it.
      suffix: End of the names of its files.
      precision: 'float32', 'float16', or 'int8' for weights of 8 bits that are used
        in sums of float32, which are the dynamic ranges of LiteRT.
      max_mask: Share of pixels, at most, whose mask is off by more than 0.1.
      max_depth: Mean relative error of depth, at most. Both beside the SavedModel.
    """

    name: str
    suffix: str
    precision: str
    max_mask: float
    max_depth: float

    @property
    def sized(self) -> bool:
        """Whether a file is for pictures of one size."""
        return self.suffix == LITERT

    def name_file(self, size: tuple[int, int]) -> str:
        """Names the file of an exported network, for pictures of a height and width."""
        words = ["network"]
        if self.sized:
            words.append(f"{size[0]}x{size[1]}")
        if self.precision != "float32":
            words.append(self.precision)
        return "_".join(words) + self.suffix


FORMATS = {
    each.name: each
    for each in (
        Format("onnx", ONNX, "float32", 0.001, 0.001),
        Format("litert", LITERT, "float32", 0.001, 0.001),
        Format("litert_float16", LITERT, "float16", 0.002, 0.005),
        Format("litert_int8", LITERT, "int8", 0.01, 0.03),
    )
}


def parse_formats(text: str) -> tuple[Format, ...]:
    """Parses the value of `--formats`.

    Args:
      text: Names of formats, separated by commas; one is `SAVED_MODEL`.

    Returns:
      The others.

    Raises:
      UserError: If a name is none of a format, or the SavedModel is not among them.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in (SAVED_MODEL, *FORMATS):
            raise UserError(
                f"--formats={text}: there is no {name}; there are "
                f"{', '.join((SAVED_MODEL, *FORMATS))}"
            )
    if SAVED_MODEL not in names:
        raise UserError(
            f"--formats={text}: add {SAVED_MODEL}, in whose folder the others are "
            "written, and with which they are compared; python -m trainer.export "
            "writes one file alone"
        )
    return tuple(each for name, each in FORMATS.items() if name in names)
