"""Measures a run and reports on it."""
