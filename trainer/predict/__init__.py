"""Finds in every frame of a fixed camera what is new, and how far everything is."""
