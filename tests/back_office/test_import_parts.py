"""Parts from a spreadsheet: seen first, agreed to, and then all of them or none."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import Workbook, load_workbook  # type: ignore[import-untyped]

from inventory import services
from inventory.models import Part
from inventory.part_import.resource import PartResource
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import SERVICE_ADVISOR, TECHNICIAN
from mechanic_shop.spreadsheets.models import Upload
from tests.support.back_office import browser_of, make_part, make_user, text_of, url

pytestmark = pytest.mark.django_db

IMPORT = "/admin/inventory/part/import/"
CONFIRM = "/admin/inventory/part/process_import/"
HEAD = "Part number,Name,Cost,Quantity in stock"


# --- Files ----------------------------------------------------------------------------


def csv_of(*lines: str, encoding: str = "utf-8") -> SimpleUploadedFile:
    return SimpleUploadedFile("parts.csv", "\n".join(lines).encode(encoding))


def xlsx_of(*rows: list[Any]) -> SimpleUploadedFile:
    book, content = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(content)
    return SimpleUploadedFile("parts.XLSX", content.getvalue())


def template(kind: str) -> str:
    return reverse("admin:inventory_part_import_template", args=[kind])


def content_of(client: Client, path: str) -> bytes:
    answer: Any = client.get(path)
    return b"".join(answer.streaming_content)


def upload(client: Client, file: SimpleUploadedFile) -> Any:
    return client.post(IMPORT, {"import_file": file}, follow=True)


def refused(client: Client, file: SimpleUploadedFile) -> str:
    """Upload a file that cannot be read; return what the form says."""
    page = upload(client, file)
    assert "upload" not in page.context
    return " ".join(page.context["form"].errors["import_file"])


def problems(client: Client, *lines: str) -> list[tuple[Any, ...]]:
    page = upload(client, csv_of(*lines))
    assert not page.context["can_confirm"]
    return [tuple(problem.values()) for problem in page.context["problems"]]


def agree(client: Client, page: Any) -> tuple[Any, str]:
    token = page.context["confirm_form"]["token"].value()
    answer = client.post(CONFIRM, {"token": token}, follow=True)
    return answer, " ".join(str(message) for message in answer.context["messages"])


def import_(client: Client, *lines: str) -> str:
    return agree(client, upload(client, csv_of(*lines)))[1]


def allowed(*codenames: str) -> Client:
    user = make_user("vic")
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return browser_of(user)


class TestTheTemplate:
    def test_has_the_headings_and_an_example(self, desk: Client) -> None:
        text = content_of(desk, template("csv")).decode("utf-8-sig")

        headings, example = csv.reader(io.StringIO(text))

        assert headings == PartResource.headings()
        assert example[6:] == ["34.50", "12", "4", "yes"]

    @pytest.mark.parametrize("kind", ["csv", "xlsx"])
    def test_can_be_imported(self, kind: str, desk: Client) -> None:
        content = content_of(desk, template(kind))

        agree(desk, upload(desk, SimpleUploadedFile(f"parts.{kind}", content)))

        part = Part.objects.get()
        assert (part.part_number, part.current_cost_cents) == ("EXAMPLE-1", 3450)
        assert (part.quantity_in_stock, part.reorder_level) == (12, 4)

    def test_is_a_workbook_with_numbers(self, desk: Client) -> None:
        content = content_of(desk, template("xlsx"))

        row = load_workbook(io.BytesIO(content)).active[2]

        assert [row[6].value, row[7].value] == [34.5, 12]


class TestAnUpload:
    def test_changes_nothing_yet(self, boss: User, desk: Client) -> None:
        part = make_part(boss, stock=5)

        page = upload(desk, csv_of(HEAD, "BRK-1,Other,9.99,7", "NEW,New,1,1"))

        part.refresh_from_db()
        assert (part.name, part.quantity_in_stock) == ("Brake pad", 5)
        assert Part.objects.count() == 1
        assert page.context["can_confirm"]

    def test_shows_what_would_be_added_and_changed(
        self, boss: User, desk: Client
    ) -> None:
        make_part(boss, stock=5)
        make_part(boss, "BRK-2", stock=5)

        page = upload(
            desk,
            csv_of(
                HEAD,
                "NEW,New,1,1",
                "brk-1,Brake pad,9.99,7",
                "BRK-2,Brake pad,1234.50,5",
            ),
        )

        assert dict(page.context["counts"]) == {
            "New parts": 1,
            "Changed parts": 1,
            "Stock counts": 1,
            "Unchanged": 1,
            "Rows with mistakes": 0,
        }
        text = text_of(page)
        assert "1,234.50" in text
        assert "9.99" in text

    def test_takes_the_same_number_of_queries_for_any_number_of_rows(
        self, boss: User, desk: Client
    ) -> None:
        for number in range(40):
            make_part(boss, f"P-{number}")

        def queries(rows: int) -> int:
            lines = [f"P-{number},Pad,1.50,{number}" for number in range(rows)]
            lines += [f"N-{number},Pad,1.50,{number}" for number in range(rows)]
            with CaptureQueriesContext(connection) as captured:
                upload(desk, csv_of(HEAD, *lines))
            return sum("SAVEPOINT" not in query["sql"] for query in captured)

        queries(1)
        assert queries(3) == queries(40)

    def test_leaves_no_file_behind_if_it_is_refused(self, desk: Client) -> None:
        problems(desk, HEAD, "NEW,New,abc,1")
        refused(desk, csv_of("Colour", "red"))

        assert not Upload.objects.exclude(content=b"").exists()

    def test_clears_away_what_nobody_came_back_to(self, desk: Client) -> None:
        upload(desk, csv_of(HEAD, "NEW,New,1,1"))
        now = timezone.now()
        Upload.objects.update(created_at=now - Upload.EXPIRES_AFTER)

        page = upload(desk, csv_of(HEAD, "NEW,New,1,1"))

        assert page.context["can_confirm"]
        assert Upload.objects.get().created_at >= now

    @pytest.mark.parametrize("codename", ["add_part", "change_part", "adjust_quantity"])
    def test_is_open_to_those_who_may_write_any_of_it(self, codename: str) -> None:
        assert allowed("view_part", codename).get(IMPORT).status_code == 200

    def test_is_closed_to_all_others(self, boss: User) -> None:
        tina = browser_of(make_user("tina", TECHNICIAN))

        assert tina.get(IMPORT).status_code == 403
        assert upload(tina, csv_of(HEAD)).status_code == 403
        assert tina.post(CONFIRM).status_code == 403
        assert tina.get(template("csv")).status_code == 403
        assert IMPORT not in text_of(tina.get(url(Part, "changelist")))


class TestAFileIsRefused:
    @pytest.mark.parametrize(
        ("lines", "words"),
        [
            ([], "empty"),
            ([HEAD], "no rows below"),
            ([HEAD, ",,,"], "no rows below"),
            (["Name,Cost", "Pad,1"], "The column “Part number” is missing."),
            ([HEAD + ",Colour", "A,B,1,1,red"], "The column “Colour” is not known."),
            (
                [HEAD + ",cost", "A,B,1,1,1"],
                "The column “Cost” is there more than once",
            ),
            (
                [HEAD, "A,Pad, left,1,1"],
                "Row 2 has more cells than there are headings.",
            ),
            (["just words", "and more"], "not known"),
        ],
    )
    def test_in_plain_words(self, lines: list[str], words: str, desk: Client) -> None:
        assert words in refused(desk, csv_of(*(lines or [" "])))

    @pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
    def test_in_a_wrong_encoding(self, encoding: str, desk: Client) -> None:
        file = csv_of(HEAD, "A,Bremsklötze,1,1", encoding=encoding)

        assert "not encoded in UTF-8" in refused(desk, file)

    def test_if_it_is_no_table_at_all(self, desk: Client) -> None:
        picture = SimpleUploadedFile("parts.xlsx", b"\x89PNG\r\n")
        zeros = SimpleUploadedFile("parts.csv", b"\0\0\0\0")
        text = SimpleUploadedFile("parts.pdf", b"%PDF")

        assert "not an Excel workbook" in refused(desk, picture)
        assert "not a CSV file" in refused(desk, zeros)
        assert "ends in .csv or .xlsx" in refused(desk, text)

    def test_if_its_name_says_something_else(self, desk: Client) -> None:
        book = xlsx_of([HEAD])
        book.name = "parts.csv"

        assert "Rename the file" in refused(desk, book)

    def test_if_it_is_too_large(self, desk: Client) -> None:
        heavy = SimpleUploadedFile("parts.csv", b"x" * (5 * 1024**2 + 1))

        assert "larger than 5 MB" in refused(desk, heavy)

    def test_if_it_has_new_parts_without_their_columns(self, desk: Client) -> None:
        page = upload(desk, csv_of("Part number,Name", "NEW-1,Pad"))

        [words] = page.context["rejections"]
        assert "the first is NEW-1 in row 2" in words
        assert "this column is missing: Cost" in words
        assert not page.context["can_confirm"]


class TestARow:
    @pytest.mark.parametrize(
        ("row", "column", "value"),
        [
            ("A,Pad,12.505,1", "Cost", "12.505"),
            ('A,Pad,"12,50",1', "Cost", "12,50"),
            ("A,Pad,-1,1", "Cost", "-1"),
            ("A,Pad,abc,1", "Cost", "abc"),
            ("A,Pad,99999999999,1", "Cost", "99999999999"),
            ("A,Pad,٣,1", "Cost", "٣"),
            ("A,Pad,,1", "Cost", ""),
            ("A,Pad,1,2.5", "Quantity in stock", "2.5"),
            ("A,Pad,1,-2", "Quantity in stock", "-2"),
            ("A,Pad,1,1000001", "Quantity in stock", "1000001"),
            ("A,,1,1", "Name", ""),
            (",Pad,1,1", "Part number", ""),
            ("BÄR,Pad,1,1", "Part number", "BÄR"),
            ("A,=1+1,1,1", "Name", "=1+1"),
            ("A,@SUM(A1),1,1", "Name", "@SUM(A1)"),
            ("+A,Pad,1,1", "Part number", "+A"),
            (f"A,{'x' * 256},1,1", "Name", "x" * 256),
        ],
    )
    def test_is_refused_with_its_number_column_and_value(
        self, row: str, column: str, value: str, desk: Client
    ) -> None:
        [(number, heading, shown, words)] = problems(desk, HEAD, "", "B,Pad,1,1", row)

        assert (number, heading, shown) == (4, column, value)
        assert words[-1] == "."

    def test_tells_all_of_its_mistakes_at_once(self, desk: Client) -> None:
        found = problems(desk, HEAD, "A,,abc,many")

        assert [problem[1] for problem in found] == [
            "Name",
            "Cost",
            "Quantity in stock",
        ]

    def test_may_not_come_twice_in_whatever_case(self, desk: Client) -> None:
        [problem] = problems(desk, HEAD, "a-1,Pad,1,1", "A-1,Pad,1,1")

        assert problem == (3, "Part number", "A-1", "This number is in row 2 already.")

    def test_leaves_alone_what_its_file_does_not_have(
        self, boss: User, desk: Client
    ) -> None:
        part = make_part(boss, stock=5)

        import_(desk, "part_number,QUANTITY IN STOCK", "brk-1,9")

        part.refresh_from_db()
        assert (part.part_number, part.name) == ("BRK-1", "Brake pad")
        assert (part.quantity_in_stock, part.current_cost_cents) == (9, 123_450)

    def test_takes_an_apostrophe_for_the_mark_of_a_text(self, desk: Client) -> None:
        import_(desk, HEAD, "'-12,'=fits all,1.5,", "A,'tis,1,")

        assert list(Part.objects.order_by("pk").values_list("part_number", "name")) == [
            ("-12", "=fits all"),
            ("A", "'tis"),
        ]

    def test_may_be_parted_by_semicolons(self, desk: Client) -> None:
        import_(desk, HEAD.replace(",", ";"), "A;Pad, left;1.50;2")

        assert Part.objects.get().name == "Pad, left"

    def test_may_stand_in_a_workbook(self, desk: Client) -> None:
        rows: list[list[Any]] = [
            [12345, "Pad", 12.5, 3],
            [None] * 4,
            ["B", "Pad", 7, 4.0],
        ]

        agree(desk, upload(desk, xlsx_of(HEAD.split(","), *rows)))

        assert list(
            Part.objects.order_by("pk").values_list("part_number", "current_cost_cents")
        ) == [("12345", 1250), ("B", 700)]

    def test_may_hold_no_formula_in_a_workbook(self, desk: Client) -> None:
        page = upload(desk, xlsx_of(HEAD.split(","), ["A", "=1+1", 1, 1]))

        [problem] = page.context["problems"]
        assert (problem["row"], problem["column"]) == (2, "Name")


class TestAgreeing:
    def test_adds_and_changes_through_the_services(
        self, boss: User, desk: Client
    ) -> None:
        part = make_part(boss, stock=5)

        said = import_(desk, HEAD, "BRK-1,Disc,9.99,7", "NEW,Pad,12.50,3")

        part.refresh_from_db()
        new = Part.objects.get(part_number="NEW")
        assert (part.name, part.current_cost_cents) == ("Disc", 999)
        assert list(part.movements.values_list("reason", "delta")) == [
            ("count", 2),
            ("initial", 5),
        ]
        assert (new.current_cost_cents, new.quantity_in_stock) == (1250, 3)
        assert new.movements.get().by == boss
        assert said == (
            "Import finished: 1 parts added, 1 changed (1 stock counts), 0 unchanged."
        )

    def test_is_written_into_the_log(self, desk: Client) -> None:
        import_(desk, HEAD, "NEW,Pad,12.50,3", "NEW-2,Pad,12.50,3")

        assert LogEntry.objects.filter(change_message__contains="Imported").count() == 2

    def test_imports_all_rows_or_none(
        self, boss: User, desk: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_part(boss, "BRK-1", stock=5)
        page = upload(desk, csv_of(HEAD, "NEW,Pad,1,1", "BRK-1,Disc,9.99,7"))
        added: list[bool] = []

        def fail(**kwargs: Any) -> None:
            added.append(Part.objects.filter(part_number="NEW").exists())
            raise services.TooMuchStock("There is no room.")

        monkeypatch.setattr(services, "update_part", fail)
        _, said = agree(desk, page)

        assert (added, said) == ([True], "There is no room.")
        assert [part.part_number for part in Part.objects.all()] == ["BRK-1"]

    @pytest.mark.django_db(transaction=True)
    def test_starts_over_after_a_deadlock(
        self, boss: User, desk: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What the database says of a row is no mistake of the file."""
        page = upload(desk, csv_of(HEAD, "NEW,Pad,1,1", "NEW-2,Pad,1,1"))
        add_part, tries = services.add_part, []

        def deadlock_once(**values: Any) -> Part:
            tries.append(values["part_number"])
            if len(tries) == 2:
                raise OperationalError(1213, "Deadlock found")
            return add_part(**values)

        monkeypatch.setattr(services, "add_part", deadlock_once)
        _, said = agree(desk, page)

        assert tries == ["NEW", "NEW-2", "NEW", "NEW-2"]
        assert said.startswith("Import finished: 2 parts added")
        assert Part.objects.count() == 2

    def test_is_asked_for_again_if_the_shelf_moved_meanwhile(
        self, boss: User, desk: Client
    ) -> None:
        part = make_part(boss, stock=5)
        page = upload(desk, csv_of(HEAD, "BRK-1,Brake pad,1234.50,7"))
        services.adjust_stock(part=part, adjustment=-1, by=boss)

        again, _ = agree(desk, page)

        part.refresh_from_db()
        assert part.quantity_in_stock == 4
        assert "Something has changed since you looked." in text_of(again)
        agree(desk, again)
        part.refresh_from_db()
        assert part.quantity_in_stock == 7

    def test_twice_does_it_once(self, desk: Client) -> None:
        page = upload(desk, csv_of(HEAD, "NEW,Pad,1,1"))

        agree(desk, page)
        _, said = agree(desk, page)

        assert said == "Upload the file once more."
        assert Part.objects.count() == 1
        assert not Upload.objects.exists()

    @pytest.mark.parametrize("token", ["", "forged", "eyJhIjoxfQ:1abc:def"])
    def test_needs_a_plan_that_was_shown(self, token: str, desk: Client) -> None:
        answer = desk.post(CONFIRM, {"token": token})

        assert answer["Location"] == IMPORT

    def test_is_not_done_for_somebody_else(self, desk: Client) -> None:
        page = upload(desk, csv_of(HEAD, "NEW,Pad,1,1"))
        other = browser_of(make_user("other", is_superuser=True))

        _, said = agree(other, page)

        assert said == "Upload the file once more."
        assert not Part.objects.exists()

    def test_leads_back_to_the_form_on_a_reload(self, desk: Client) -> None:
        assert desk.get(CONFIRM)["Location"] == IMPORT

    def test_has_a_bar_and_a_button_that_works_once(self, desk: Client) -> None:
        page = text_of(upload(desk, csv_of(HEAD, "NEW,Pad,1,1")))

        assert 'role="progressbar"' in page
        assert 'x-bind:disabled="busy"' in page


class TestRights:
    @pytest.mark.parametrize(
        ("row", "right", "words"),
        [
            ("NEW,Pad,1,1", "add_part", "you may not add parts"),
            ("BRK-1,Disc,1234.50,5", "change_part", "you may not change parts"),
            ("BRK-1,Brake pad,1234.50,9", "adjust_quantity", "not adjust the stock"),
        ],
    )
    def test_decide_which_rows_may_be_imported(
        self, row: str, right: str, words: str, boss: User
    ) -> None:
        make_part(boss, stock=5)
        rights = {"add_part", "change_part", "adjust_quantity"}

        page = upload(allowed("view_part", *(rights - {right})), csv_of(HEAD, row))

        [refusal] = page.context["rejections"]
        assert words in refusal
        assert not page.context["can_confirm"]

    def test_are_asked_again_at_the_end(self, boss: User) -> None:
        client = allowed("view_part", "add_part", "change_part")
        page = upload(client, csv_of(HEAD, "NEW,Pad,1,1"))
        User.objects.get(email="vic@shop.test").user_permissions.set(
            Permission.objects.filter(codename__in=["view_part", "change_part"])
        )

        answer, _ = agree(client, page)

        assert "you may not add parts" in text_of(answer)
        assert not Part.objects.exists()

    def test_let_an_advisor_count_from_a_file(self, boss: User) -> None:
        part = make_part(boss, stock=5)
        sven = browser_of(make_user("sven", SERVICE_ADVISOR))

        import_(sven, "Part number,Quantity in stock", "BRK-1,9")

        part.refresh_from_db()
        assert part.quantity_in_stock == 9


class TestAnExport:
    @pytest.mark.parametrize("kind", ["csv", "xlsx"])
    def test_comes_back_unchanged(self, kind: str, boss: User, desk: Client) -> None:
        services.add_part(
            by=boss,
            part_number="-1",
            name="=1+1",
            description="@home, “quoted”\r\nand two lines",
            supplier="'=Sons",
            current_cost_cents=1205,
            quantity_in_stock=4,
            is_active=False,
        )
        make_part(boss)
        content = content_of(desk, url(Part, "export", kind))

        page = upload(desk, SimpleUploadedFile(f"parts.{kind}", content))

        assert dict(page.context["counts"])["Unchanged"] == 2
        assert dict(page.context["counts"])["Rows with mistakes"] == 0

    def test_has_two_digits_after_the_point(self, boss: User, desk: Client) -> None:
        make_part(boss)

        text = content_of(desk, url(Part, "export", "csv")).decode()

        assert ",1234.50,5,5,yes" in text
