"""Lets tests import the modules beside them: tables of cases, the import graph."""

import pathlib
import sys

# pytest's import mode `importlib` puts no folder on the path.
sys.path.insert(0, str(pathlib.Path(__file__).parent))
