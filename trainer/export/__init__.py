"""Exports a run to be served."""

from trainer.export.saved_model import export

__all__ = ["export"]
