"""Lets tests import the modules beside them: tables of cases, the import graph."""

import pathlib
import sys

# pytest's import mode `importlib` puts no folder on the path.
sys.path.insert(0, str(pathlib.Path(__file__).parent))

import pytest


def pytest_addoption(parser):
    parser.addoption(
        "--slow",
        action="store_true",
        help="run tests that are marked as slow, too: half a minute each and more",
    )


def pytest_collection_modifyitems(config, items):
    """Skips slow tests, by name in the summary, unless they are asked for."""
    if config.getoption("--slow"):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="slow: pytest --slow runs it"))
