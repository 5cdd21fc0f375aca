"""Flag files: the flags of a command, a line each."""

from __future__ import annotations

import codecs
import pathlib
from collections.abc import Sequence

from trainer.errors import UserError
from trainer.files import expand

_COMMENTS = ("#", "//")


def expand_flag_files(
    arguments: Sequence[str], within: tuple[pathlib.Path, ...] = ()
) -> list[str]:
    """Puts the flags of every `--flagfile` into its place.

    As absl does, which however reads neither a byte order mark nor UTF-16, both of
    which Windows's editors write.

    Args:
      arguments: Arguments of a command, or lines of a flag file.
      within: The flag files that these are of, the outermost first.

    Returns:
      The arguments without `--flagfile`.

    Raises:
      UserError: If a file cannot be read, includes itself, or has a line that is no
        flag.
    """
    expanded, rest = [], list(arguments)
    while rest:
        argument = rest.pop(0)
        name, equals, path = argument.partition("=")
        if argument == "--":  # what follows are no flags
            return [*expanded, argument, *rest]
        if name not in ("--flagfile", "-flagfile"):
            expanded.append(argument)
            continue
        if not equals:
            if not rest:
                raise UserError("--flagfile has no file")
            path = rest.pop(0)
        if path:
            file = expand(path, "flagfile")
            expanded += expand_flag_files(_read_lines(file, within), (*within, file))
    return expanded


def _read_lines(path: pathlib.Path, within: tuple[pathlib.Path, ...]) -> list[str]:
    if path in within:
        raise UserError(f"--flagfile={path} includes itself")
    lines = []
    for number, line in enumerate(_read_text(path).splitlines(), 1):
        line = line.strip()
        if not line or line.startswith(_COMMENTS):
            continue
        if not line.startswith("-"):
            raise UserError(
                f"--flagfile={path}: line {number}, {line[:60]!r}, is no flag; flags "
                "begin with --, comments with #"
            )
        lines.append(line)
    return lines


def _read_text(path: pathlib.Path) -> str:
    try:
        content = path.read_bytes()
        marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return content.decode("utf-16" if marked else "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise UserError(
            f"--flagfile={path}: cannot be read ({reason}); give a file such as "
            "configs/cpu.flags"
        ) from error
