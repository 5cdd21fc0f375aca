"""A trained network for serving: as a SavedModel, and as functions in this process."""

from trainer.export.saved_model import export
from trainer.export.signatures import Signatures

__all__ = ["Signatures", "export"]
