"""A trained network in files, for TensorFlow and other runtimes, and its signatures."""

from trainer.export.conversion import require_converter
from trainer.export.formats import FORMATS, Format, parse_formats
from trainer.export.portable import make_portable_answer
from trainer.export.runtime_files import write_runtime_file
from trainer.export.saved_model import export
from trainer.export.signatures import Signatures

__all__ = [
    "FORMATS",
    "Format",
    "Signatures",
    "export",
    "make_portable_answer",
    "parse_formats",
    "require_converter",
    "write_runtime_file",
]
