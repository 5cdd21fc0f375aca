"""Composes pictures: which, where, and as which bytes."""
