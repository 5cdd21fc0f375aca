"""Exports a run to be served."""
