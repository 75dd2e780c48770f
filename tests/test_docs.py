"""The documents say what the code does: settings, links, commands."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ROOT / "mechanic_shop" / "settings"

WALKTHROUGH = re.compile(
    r"<!-- walkthrough:start -->\s*```bash\n(.*?)```\s*<!-- walkthrough:end -->", re.S
)
TABLE_ROW = re.compile(r"^\| `([A-Z_]+)` \|", re.M)
MAKE_EXPORT = re.compile(r"^export ([A-Z_ ]+)$", re.M)
RELATIVE_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.M | re.S)


def walkthrough_script() -> str:
    """Return the README's walk through the API, as bash would get it."""
    [script] = WALKTHROUGH.findall((ROOT / "README.md").read_text())
    assert isinstance(script, str)
    return script


def variables_of_settings() -> set[str]:
    """Name every environment variable that a settings module reads."""
    names = {f"THROTTLE_{name}" for name in settings.THROTTLES}
    for module in SETTINGS.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Call) and _reads_environment(node.func):
                names.update(_constants(node.args[:1]))
    return names


def variables_of_make() -> set[str]:
    """Name the variables that the Makefile hands to the servers."""
    [names] = MAKE_EXPORT.findall((ROOT / "Makefile").read_text())
    return set(names.split())


def documents() -> list[Path]:
    tops = [path for path in ROOT.iterdir() if not path.name.startswith(".")]
    files = [path for path in tops if path.suffix == ".md"]
    for folder in filter(Path.is_dir, tops):
        files += [
            path for path in folder.rglob("*.md") if "node_modules" not in path.parts
        ]
    return sorted(files)


def _reads_environment(function: ast.expr) -> bool:
    """Return whether this is ``read_…`` or ``env.str``."""
    if isinstance(function, ast.Attribute):
        return isinstance(function.value, ast.Name) and function.value.id == "env"
    return isinstance(function, ast.Name) and function.id.startswith("read_")


def _constants(nodes: list[ast.expr] | list[ast.expr | None]) -> list[str]:
    return [
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


class TestReadme:
    def test_lists_every_variable_and_no_other(self) -> None:
        readme = (ROOT / "README.md").read_text()
        section = readme.partition("\n## Configuration\n")[2].partition("\n## ")[0]

        listed = TABLE_ROW.findall(section)

        assert sorted(listed) == sorted(variables_of_settings() | variables_of_make())

    def test_walks_through_the_api_in_bash_without_a_slip(self) -> None:
        answer = subprocess.run(
            ["bash", "-n"], input=walkthrough_script(), text=True, capture_output=True
        )

        assert (answer.returncode, answer.stderr) == (0, "")

    def test_lets_the_walkthrough_run_against_any_server(self) -> None:
        assert "BASE=${BASE:-http://127.0.0.1:8000/api}" in walkthrough_script()


class TestEnvExample:
    def test_mentions_every_variable(self) -> None:
        example = (ROOT / ".env.example").read_text()

        mentioned = set(re.findall(r"\b[A-Z][A-Z_]{3,}(?==)", example))

        assert variables_of_settings() | variables_of_make() <= mentioned

    def test_changes_nothing_until_it_is_edited(self) -> None:
        lines = (ROOT / ".env.example").read_text().splitlines()

        assert [line for line in lines if line and not line.startswith("#")] == []

    @pytest.mark.parametrize("name", ["SECRET_KEY", "JWT_SECRET_KEY"])
    def test_has_secrets_that_production_refuses(self, name: str) -> None:
        example = (ROOT / ".env.example").read_text()

        assert re.search(rf"^#{name}=insecure-", example, re.M)


class TestDocuments:
    def test_link_only_to_files_that_exist(self) -> None:
        broken = [
            f"{document.relative_to(ROOT)} → {link}"
            for document in documents()
            for link in RELATIVE_LINK.findall(FENCED.sub("", document.read_text()))
            if not (document.parent / link.partition("#")[0]).exists()
        ]

        assert broken == []


class TestDecisions:
    def test_are_all_in_the_index(self) -> None:
        folder = ROOT / "docs" / "adr"
        index = (folder / "README.md").read_text()

        missing = [page.name for page in folder.glob("0*.md") if page.name not in index]

        assert missing == []
