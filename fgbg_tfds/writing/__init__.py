"""Writes the files of a data set."""
