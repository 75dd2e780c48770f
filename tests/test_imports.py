"""What import-linter's contracts in pyproject.toml cannot say."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest
from django.conf import settings

PYPROJECT = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())
PACKAGES = PYPROJECT["tool"]["importlinter"]["root_packages"]
#: No import of these is one of the product's.
TESTS = {"tests", "testing", "migrations"}
#: import-linter does not look into packages that are not the product's own.
HTTP = ("django.http", "django.shortcuts", "django.views")


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Read every import of the product, also those within functions."""
    graph = grimp.build_graph(
        *PACKAGES, exclude_type_checking_imports=True, cache_dir=None
    )
    for module in list(graph.modules):
        if TESTS & set(module.split(".")):
            graph.remove_module(module)
    return graph


def find_circle(graph: grimp.ImportGraph) -> list[str]:
    imports = {
        module: graph.find_modules_directly_imported_by(module)
        for module in graph.modules
    }
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def business_modules() -> Iterator[Path]:
    """Give the files of models and services, in a file or in a folder of the name."""
    for package in PACKAGES:
        for path in sorted((settings.BASE_DIR / package).rglob("*.py")):
            path = path.relative_to(settings.BASE_DIR)
            parts = {*path.parts, path.stem}
            if parts & {"models", "services"} and not parts & TESTS:
                yield path


def read(path: Path) -> ast.Module:
    return ast.parse((settings.BASE_DIR / path).read_text())


def imported_by(path: Path) -> Iterator[str]:
    for node in ast.walk(read(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


class TestCircles:
    def test_no_module_imports_what_imports_it(self, graph: grimp.ImportGraph) -> None:
        assert find_circle(graph) == []

    def test_imports_within_functions_are_seen(self, graph: grimp.ImportGraph) -> None:
        importer, imported = (
            "mechanic_shop.metrics.views",
            "mechanic_shop.metrics.prometheus",
        )
        assert imported in graph.find_modules_directly_imported_by(importer)

        graph.add_import(importer=imported, imported=importer)
        try:
            assert {importer, imported} == set(find_circle(graph))
        finally:
            graph.remove_import(importer=imported, imported=importer)


@pytest.mark.parametrize("path", list(business_modules()), ids=str)
class TestModelsAndServices:
    def test_import_no_http(self, path: Path) -> None:
        assert not [name for name in imported_by(path) if name.startswith(HTTP)]

    def test_take_no_request(self, path: Path) -> None:
        functions = ast.walk(read(path))
        taken = {
            argument.arg
            for function in functions
            if isinstance(function, ast.FunctionDef)
            for argument in (*function.args.args, *function.args.kwonlyargs)
        }

        assert "request" not in taken
