"""Lets the tests here import the modules beside them."""

import pathlib
import sys

# pytest's import mode `importlib` puts no folder on the path.
sys.path.insert(0, str(pathlib.Path(__file__).parent))
