"""Measures of estimated depth."""
