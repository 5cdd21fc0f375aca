"""Serves a network over HTTP as TensorFlow Serving does, for clients to be written.

Nothing is shown here, so that `--help` needs no library of the extra `serve`.
"""
