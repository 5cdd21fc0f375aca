"""Brings a background onto a frame of the same camera."""
