"""Reads which module of a package imports which, from the source alone.

    python tests/import_graph.py trainer fgbg_tfds

prints for each package the number of its files, and of its floors: the length of the
longest chain of imports, of single modules and of whole folders.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import pathlib
import sys
from collections.abc import Iterator, Mapping

ROOT = pathlib.Path(__file__).resolve().parents[1]


@dataclasses.dataclass(frozen=True)
class Import:
    """One `from source import name as alias`; `import source` has no name."""

    module: str
    source: str
    name: str
    alias: str
    line: int


def list_modules(package: str, root: pathlib.Path = ROOT) -> dict[str, pathlib.Path]:
    """Lists the modules of a package by their dotted names."""
    modules = {}
    for path in sorted((root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        modules[".".join(parts).removesuffix(".__init__")] = path
    return modules


def read_imports(module: str, path: pathlib.Path) -> Iterator[Import]:
    """Reads the imports of a module, also those within functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: write the whole name"
            for alias in node.names:
                shown = alias.asname or alias.name
                yield Import(module, node.module, alias.name, shown, node.lineno)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                shown = alias.asname or alias.name
                yield Import(module, alias.name, "", shown, node.lineno)


def build_graph(modules: Mapping[str, pathlib.Path]) -> dict[str, set[str]]:
    """Finds for every module the modules of the same package that it imports."""
    graph = {}
    for module, path in modules.items():
        imported = set()
        for each in read_imports(module, path):
            # The name may be a module of a folder, or something in a module.
            whole = f"{each.source}.{each.name}"
            imported.add(whole if whole in modules else each.source)
        graph[module] = (imported & modules.keys()) - {module}
    return graph


def fold(graph: Mapping[str, set[str]], package: str) -> dict[str, set[str]]:
    """Joins the modules of each folder of a package to one node.

    A command line is a node of its own: it stands above all folders.
    """

    def folder(module: str) -> str:
        whole = module.endswith("__main__")
        return module if whole else ".".join(module.split(".")[:2])

    folders: dict[str, set[str]] = {}
    for module, imported in graph.items():
        own = folder(module)
        others = {folder(other) for other in imported} - {own, package}
        folders.setdefault(own, set()).update(others)
    folders.pop(package, None)  # the package's own face
    return folders


def find_circle(graph: Mapping[str, set[str]]) -> list[str]:
    """Finds a circle in a graph; empty where there is none."""
    done: set[str] = set()

    def visit(node: str, trail: list[str]) -> list[str]:
        if node in trail:
            return [*trail[trail.index(node) :], node]
        if node in done:
            return []
        for other in sorted(graph.get(node, ())):
            if circle := visit(other, [*trail, node]):
                return circle
        done.add(node)
        return []

    return next(filter(None, (visit(node, []) for node in sorted(graph))), [])


def count_floors(graph: Mapping[str, set[str]]) -> int:
    """Counts the modules on the longest chain of imports; there must be no circle."""

    @functools.cache
    def floor(node: str) -> int:
        return 1 + max(map(floor, graph[node]), default=0)

    return max(map(floor, graph))


def main() -> None:
    """Prints files and floors of packages."""
    for package in sys.argv[1:]:
        modules = list_modules(package, pathlib.Path.cwd())
        graph = build_graph(modules)
        rooms = fold(graph, package)
        for circle in filter(None, map(find_circle, (graph, rooms))):
            sys.exit(f"error: {package} imports in a circle: {' > '.join(circle)}")
        top = sum(path.parent.name == package for path in modules.values())
        print(
            f"{package}: {len(modules)} files, {top} at the top; floors: "
            f"{count_floors(graph)} of modules, {count_floors(rooms)} of folders"
        )


if __name__ == "__main__":
    main()
