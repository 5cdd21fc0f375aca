"""Trains networks that tell foreground and depth from a pair of pictures."""
