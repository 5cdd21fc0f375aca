"""The folders of both packages, and what may import what."""

import sys

import pytest
from import_graph import build_graph, find_circle, fold, list_modules, read_imports

PACKAGES = ("trainer", "fgbg_tfds")


@pytest.fixture(params=PACKAGES)
def package(request):
    return request.param


def test_neither_package_imports_the_other(package):
    (other,) = set(PACKAGES) - {package}
    for module, path in list_modules(package).items():
        for each in read_imports(module, path):
            assert each.source.split(".")[0] != other, f"{path}:{each.line}"


def test_no_module_imports_itself_in_a_circle(package):
    assert find_circle(build_graph(list_modules(package))) == []


def test_no_folder_imports_itself_in_a_circle(package):
    assert find_circle(fold(build_graph(list_modules(package)), package)) == []


def test_a_command_line_is_imported_by_nobody(package):
    for module, imported in build_graph(list_modules(package)).items():
        assert not {name for name in imported if name.endswith("__main__")}, module


def test_folders_import_from_each_other_s_faces(package):
    """`from trainer.data import X`, never `from trainer.data.batches import X`."""
    modules = list_modules(package)
    for module, path in modules.items():
        for each in read_imports(module, path):
            source = each.source.split(".")
            if source[0] != package or len(source) < 3:
                continue
            own = module.split(".")[: len(source) - 1]
            assert own == source[:-1] or own[:2] == source[:2], (
                f"{path}:{each.line} reaches past the face of {'.'.join(source[:2])}"
            )


def test_faces_name_what_they_show(package):
    for module, path in list_modules(package).items():
        if path.name != "__init__.py" or module == package:
            continue
        __import__(module)
        face = sys.modules[module]
        assert face.__doc__, module
        for name in getattr(face, "__all__", ()):
            assert hasattr(face, name), f"{module} has no {name}"
        shown = {
            each.alias
            for each in read_imports(module, path)
            if each.source.split(".")[0] == package
        }
        assert shown <= set(getattr(face, "__all__", ())), module
