"""docs/adding-a-resource.md is followed to the letter, in a copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .support.server import ROOT

PAGE = ROOT / "docs" / "adding-a-resource.md"
FILE = re.compile(r"<!-- file: (\S+) -->\n```python\n(.*?)```", re.S)
#: Nothing of it says what the product is.
NOT_COPIED = shutil.ignore_patterns(
    ".*", "*.sqlite3*", "__pycache__", "node_modules", "staticfiles", "test-artifacts"
)
#: What a resource costs, and what a new app costs beside it.
RESOURCE = {"models.py", "serializers.py", "views.py", "admin.py"} | {
    "tests/test_contract.py",
    "migrations/0001_initial.py",
}
APP = {"apps.py", "__init__.py", "tests/__init__.py", "migrations/__init__.py"}
#: Only where there is something to say.
OPTIONAL = {"search.py", "invariants.py"}

#: What the recipe promises beside the contract, tried where the new app is installed.
PROMISES = """
import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.urls import reverse
from drf_spectacular.generators import SchemaGenerator

from loaners.models import LoanerCar

pytestmark = pytest.mark.django_db


@pytest.fixture
def car():
    return LoanerCar.objects.create(license_plate="LEND 1", model="Honda Jazz")


@pytest.fixture
def desk(owner, client):
    client.force_login(owner)
    return client


def test_sidebar_and_pages_of_the_back_office(desk, car):
    listing = desk.get(reverse("admin:loaners_loanercar_changelist"))
    page = desk.get(reverse("admin:loaners_loanercar_change", args=[car.pk]))

    assert "Loaner cars" in listing.content.decode()
    assert (listing.status_code, page.status_code) == (200, 200)


def test_search_finds_it(desk, car):
    found = desk.get(reverse("admin:search"), {"s": "jazz"}).content.decode()

    assert "Honda Jazz (LEND 1)" in found


def test_roles_have_its_permissions():
    held = {
        group.name: {each.codename for each in group.permissions.all()}
        for group in Group.objects.all()
    }

    assert "view_loanercar" in held["Technician"]
    assert "add_loanercar" not in held["Technician"]
    assert "change_loanercar" in held["Service advisor"]
    assert "delete_loanercar" in held["Manager"]


def test_schema_has_its_tag_and_paths():
    schema = SchemaGenerator().get_schema(public=True)

    assert "/api/loaner-cars/{car_id}" in schema["paths"]
    assert "loaner-cars" in [tag["name"] for tag in schema["tags"]]


def test_check_invariants_asks_it():
    LoanerCar.objects.create(license_plate="", model="Nameless")

    with pytest.raises(CommandError, match="has no plate"):
        call_command("check_invariants")
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as it is, with the app of the page in it."""
    copy = tmp_path_factory.mktemp("adding") / "project"
    shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
    for name, text in FILE.findall(PAGE.read_text()):
        path = copy / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for package in ("loaners", "loaners/tests", "loaners/migrations"):
        (copy / package).mkdir(exist_ok=True)
        (copy / package / "__init__.py").touch()
    add_to(
        copy / "mechanic_shop/settings/apps.py", '    "tickets",\n', '    "loaners",\n'
    )
    add_to(copy / "pyproject.toml", 'root_packages = ["mechanic_shop",', ' "loaners",')
    add_to(copy / "pyproject.toml", '    "tickets",\n', '    "loaners",\n')
    run(copy, "manage.py", "makemigrations", "loaners", *SETTINGS)
    return copy


SETTINGS = ("--settings", "mechanic_shop.settings.test")


def add_to(path: Path, line: str, more: str) -> None:
    text = path.read_text()
    assert line in text, path
    path.write_text(text.replace(line, line + more, 1))


def run(copy: Path, *command: str) -> str:
    """Run Python in the copy; a failure shows what it said."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "DJANGO", "COV_", "DATABASE", "REDIS"))
    }
    done = subprocess.run(
        [sys.executable, *command],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return done.stdout + done.stderr


class TestRecipe:
    def test_resource_costs_five_files_and_a_migration(self, copy: Path) -> None:
        files = {
            str(path.relative_to(copy / "loaners"))
            for path in (copy / "loaners").rglob("*.py")
        }

        assert files == RESOURCE | APP | OPTIONAL
        assert len(RESOURCE) == 5 + 1

    def test_contract_and_promises_hold(self, copy: Path) -> None:
        (copy / "tests/test_promises.py").write_text(PROMISES)

        said = run(
            *(copy, "-m", "pytest", "-q", "-n", "0"),
            *("loaners", "tests/test_contracts.py", "tests/test_promises.py"),
        )

        assert " passed" in said

    def test_checks_of_the_project_accept_it(self, copy: Path) -> None:
        spectacular = ("spectacular", "--validate", "--fail-on-warn", "--file", "x.yml")

        run(copy, "-m", "ruff", "check", "loaners", "mechanic_shop/settings")
        run(copy, "-c", "from importlinter.cli import lint_imports as run; exit(run())")
        run(copy, "manage.py", *spectacular, *SETTINGS)
        run(copy, "manage.py", "makemigrations", "--check", "--dry-run", *SETTINGS)
