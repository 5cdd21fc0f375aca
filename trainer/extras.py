"""Packages that only some commands need, and the extras that install them."""

from __future__ import annotations

import importlib
from typing import Any

from trainer.errors import UserError


def import_extra(module: str, extra: str, purpose: str) -> Any:
    """Imports a module of an optional package.

    Args:
      module: Its name.
      extra: The extra of this package that installs it.
      purpose: Words for what needs it.

    Raises:
      UserError: If it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = (error.name or module).split(".")[0]
        raise UserError(
            f"{purpose}: {package} is not installed; install it with: pip install "
            f"'fgbg[{extra}]', or in this repository: pip install '.[{extra}]'"
        ) from error
