"""Customers and vehicles from a spreadsheet, and back into one."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers import services
from customers.imports.matching import CustomerFinder
from customers.models import Customer, Vehicle
from inventory.models import Part
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import TECHNICIAN
from mechanic_shop.spreadsheets.registry import import_resources
from tests.support.back_office import (
    browser_of,
    make_customer,
    make_part,
    make_user,
    make_vehicle,
    text_of,
    url,
)

pytestmark = pytest.mark.django_db

CUSTOMERS = "First name,Last name,Email,Phone"
VEHICLES = "VIN,Year,Make,Model,License plate,Owner email"
VIN = "1HGCM82633A004352"


def upload(client: Client, model: type[Model], *lines: str) -> Any:
    file = SimpleUploadedFile("rows.csv", "\n".join(lines).encode())
    return send(client, model, file)


def send(client: Client, model: type[Model], file: SimpleUploadedFile) -> Any:
    return client.post(url(model, "import"), {"import_file": file}, follow=True)


def confirm(client: Client, model: type[Model], page: Any) -> str:
    """Confirm a plan as a program does: by the token in the page."""
    [token] = re.findall(r'name="token" value="([^"]+)"', text_of(page))
    answer = client.post(url(model, "process_import"), {"token": token}, follow=True)
    return " ".join(str(message) for message in answer.context["messages"])


def import_(client: Client, model: type[Model], *lines: str) -> str:
    return confirm(client, model, upload(client, model, *lines))


def counts(page: Any) -> dict[str, int]:
    found = re.findall(r'data-count="([^"]+)"[^>]*>([0-9]+)<', text_of(page))
    return {name: int(number) for name, number in found}


def problems(page: Any) -> list[tuple[Any, ...]]:
    assert not page.context["can_confirm"]
    return [tuple(problem.values())[:3] for problem in page.context["problems"]]


def exported(client: Client, model: type[Model], kind: str) -> SimpleUploadedFile:
    answer: Any = client.get(url(model, "export", kind))
    content = b"".join(answer.streaming_content)
    return SimpleUploadedFile(f"rows.{kind}", content)


ODD = [
    "+49 170 1234567",
    "=1+1",
    "'quoted",
    "＝1",
    "_x000D_",
    "-5",
    "two\nlines",
    "#REF!",
]


class TestExport:
    @pytest.mark.parametrize("kind", ["csv", "xlsx"])
    @pytest.mark.parametrize("text", ODD)
    def test_of_customers_comes_back_unchanged(
        self, kind: str, text: str, desk: Client
    ) -> None:
        make_customer(city=text[:50], address=text)
        Customer.objects.update(phone=text)

        page = send(desk, Customer, exported(desk, Customer, kind))

        assert counts(page)["Unchanged"] == 1
        assert counts(page)["Rows with mistakes"] == 0

    @pytest.mark.parametrize("kind", ["csv", "xlsx"])
    @pytest.mark.parametrize("text", ODD)
    def test_of_vehicles_comes_back_unchanged(
        self, kind: str, text: str, desk: Client
    ) -> None:
        make_vehicle(make_customer(text, email="a@b.test"))
        Vehicle.objects.update(vin=VIN, color=text, license_plate=text, mileage=1_234)

        page = send(desk, Vehicle, exported(desk, Vehicle, kind))

        assert counts(page)["Unchanged"] == 1
        assert counts(page)["Rows with mistakes"] == 0

    @pytest.mark.parametrize("kind", ["csv", "xlsx"])
    @pytest.mark.parametrize("text", ODD)
    def test_of_parts_comes_back_unchanged(
        self, kind: str, text: str, boss: User, desk: Client
    ) -> None:
        make_part(boss)
        Part.objects.update(name=text, description=f"{text}\r\n{text}", supplier=text)

        page = send(desk, Part, exported(desk, Part, kind))

        assert counts(page)["Unchanged"] == 1
        assert counts(page)["Rows with mistakes"] == 0

    @pytest.mark.parametrize("model", [Customer, Vehicle, Part])
    def test_has_the_headings_of_the_import(
        self, model: type[Model], desk: Client
    ) -> None:
        [resource] = [each for each in import_resources if each._meta.model is model]
        headings = exported(desk, model, "csv").read().decode("utf-8-sig")

        assert headings.strip().split(",") == resource.headings()

    @pytest.mark.parametrize("model", [Customer, Vehicle, Part])
    def test_of_a_template_can_be_imported(
        self, model: type[Model], desk: Client
    ) -> None:
        make_customer(email="ada@example.com")
        Customer.objects.filter(email="ada@example.com").update(
            phone="+44 20 7946 0123"
        )
        answer: Any = desk.get(url(model, "import_template", "xlsx"))
        file = SimpleUploadedFile("rows.xlsx", b"".join(answer.streaming_content))

        page = send(desk, model, file)

        assert counts(page)["Rows with mistakes"] == 0


class TestCustomers:
    def test_are_added_and_changed(self, desk: Client) -> None:
        known = make_customer("Ada", email="ada@shop.test")

        said = import_(
            desk,
            Customer,
            CUSTOMERS,
            "Ada,Byron,ADA@shop.test,1",
            "Bo,Diddley,,+1 415 555 0142",
        )

        known.refresh_from_db()
        assert (known.last_name, known.email) == ("Byron", "ada@shop.test")
        assert Customer.objects.get(first_name="Bo").phone == "+1 415 555 0142"
        assert said == "Import finished: 1 customers added, 1 changed, 0 unchanged."
        assert LogEntry.objects.filter(change_message__contains="Imported").count() == 2

    def test_have_figures_that_programs_find(self, desk: Client) -> None:
        make_customer("Ada", email="ada@shop.test")
        rows = ["Ada,Lovelace,ada@shop.test,1", "Bo,Diddley,,2", "Cy,Twombly,,3"]

        page = upload(desk, Customer, CUSTOMERS, *rows)

        assert counts(page) == {
            "New customers": 2,
            "Changed customers": 0,
            "Changed": 0,
            "Unchanged": 1,
            "Rows with mistakes": 0,
        }

    def test_are_not_doubled_by_a_second_import(self, desk: Client) -> None:
        rows = [CUSTOMERS, "Bo,Diddley,,415-555 0142", "Cy,Twombly,cy@shop.test,3"]
        import_(desk, Customer, *rows)

        assert counts(upload(desk, Customer, *rows))["Unchanged"] == 2

    def test_are_known_by_name_and_phone_in_any_case(self, desk: Client) -> None:
        typed = "Ada,Lovelace,,020 x7946", "Al,Low,,?"
        import_(desk, Customer, CUSTOMERS, *typed)

        said = import_(desk, Customer, CUSTOMERS, *map(str.upper, typed))

        assert said == "Import finished: 0 customers added, 2 changed, 0 unchanged."

    def test_keep_their_login_in_step(self, desk: Client) -> None:
        user = make_user("ada", is_staff=False)
        customer = make_customer("Ada", email=user.email, user=user)

        import_(desk, Customer, "Number,Email", f"{customer.pk},new@shop.test")

        user.refresh_from_db()
        assert user.email == "new@shop.test"

    @pytest.mark.parametrize(
        ("row", "column"),
        [
            ("99999,A,B,,1", "Number"),
            ("x,A,B,,1", "Number"),
            (",A,B,no address,1", "Email"),
            (",A,,,1", "Last name"),
            (",A,B,,", "Phone"),
            (",Twin,Lovelace,,1", "Number"),
            ("{ada},A,B,bo@shop.test,1", "Email"),
        ],
    )
    def test_with_a_mistake_name_their_column(
        self, row: str, column: str, desk: Client
    ) -> None:
        ada = make_customer("Ada")
        make_customer("Bo", email="bo@shop.test")
        for _ in range(2):
            make_customer("Twin")

        page = upload(
            desk, Customer, f"Number,{CUSTOMERS}", row.replace("{ada}", str(ada.pk))
        )

        [(number, heading, _)] = problems(page)
        assert (number, heading) == (2, column)

    def test_may_not_be_in_a_file_twice(self, desk: Client) -> None:
        page = upload(desk, Customer, CUSTOMERS, "A,B,a@b.test,1", "C,D,A@B.test,2")

        assert [row for row, *_ in problems(page)] == [3]

    def test_need_the_permission_of_each_row(self) -> None:
        user = make_user("vic")
        codes = ["view_customer", "change_customer"]
        user.user_permissions.set(Permission.objects.filter(codename__in=codes))

        page = upload(browser_of(user), Customer, CUSTOMERS, "Bo,Diddley,,2")

        [refusal] = page.context["rejections"]
        assert "you may not add customers" in refusal

    def test_are_closed_to_technicians(self) -> None:
        tina = browser_of(make_user("tina", TECHNICIAN))

        assert tina.get(url(Customer, "import")).status_code == 403
        assert upload(tina, Vehicle, VEHICLES).status_code == 403

    def test_take_the_same_queries_for_any_number(self, desk: Client) -> None:
        def queries(rows: int) -> int:
            lines = [f"N{each},Row,n{each}@shop.test,{each}" for each in range(rows)]
            with CaptureQueriesContext(connection) as captured:
                upload(desk, Customer, CUSTOMERS, *lines)
            return len(captured)

        queries(1)
        assert queries(3) == queries(40)


PERSON: dict[str, Any] = {"First name": "ada", "Last name": "LOVELACE", "Phone": "12"}


class TestLockedCustomers:
    @pytest.fixture
    def known(self) -> list[Customer]:
        known = [make_customer(name) for name in ("Ada", "Bo", "Cy")]
        Customer.objects.update(phone="1-2")
        return known

    def test_are_those_that_are_meant(self, known: list[Customer]) -> None:
        ada, *_ = known
        finder = CustomerFinder([PERSON])

        with CaptureQueriesContext(connection) as sent:
            finder.lock([finder.find(PERSON)[0]])

        [query] = sent
        assert re.findall(r" IN \((.*?)\)", query["sql"]) == [str(ada.pk)]
        assert ("FOR UPDATE" in query["sql"]) == (connection.vendor == "mysql")
        assert finder.find(PERSON) == (ada, {})

    @pytest.mark.parametrize("change", [{"phone": "3"}, {"erased_at": timezone.now()}])
    def test_are_compared_again(
        self, change: dict[str, Any], known: list[Customer]
    ) -> None:
        finder = CustomerFinder([PERSON])
        meant, _ = finder.find(PERSON)
        Customer.objects.update(**change)

        finder.lock([meant])

        assert finder.find(PERSON) == (None, {})

    @pytest.mark.skipif(connection.vendor == "sqlite", reason="it locks the file")
    def test_of_an_import_are_no_namesakes(
        self, known: list[Customer], desk: Client
    ) -> None:
        page = upload(desk, Customer, f"{CUSTOMERS},City", "Ada,Lovelace,,12,Paris")

        with CaptureQueriesContext(connection) as sent:
            confirm(desk, Customer, page)

        locks = [query["sql"] for query in sent if "FOR UPDATE" in query["sql"]]
        found = re.findall(
            r"customers_customer`.`id` (?:=|IN) \(?([0-9, ]+)", str(locks)
        )
        assert {pks.strip() for pks in found} == {str(known[0].pk)}
        assert Customer.objects.filter(city="Paris").get() == known[0]


class TestVehicles:
    def test_are_added_with_their_owner(self, desk: Client) -> None:
        owner = make_customer("Ada", email="ada@shop.test")

        import_(desk, Vehicle, VEHICLES, f"{VIN},2003,Honda,Accord,A-1,ada@shop.test")

        vehicle = Vehicle.objects.get()
        assert (vehicle.customer, vehicle.vin, vehicle.year) == (owner, VIN, 2003)

    def test_find_their_owner_by_name_and_phone(self, desk: Client) -> None:
        owner = make_customer("Ada")
        Customer.objects.update(phone="(415) 555-0142")
        head = "Year,Make,Model,Owner first name,Owner last name,Owner phone"

        import_(desk, Vehicle, head, "2003,Honda,Accord,ada,Lovelace,415 5550142")

        assert Vehicle.objects.get().customer == owner

    def test_are_known_by_their_plate_in_any_case(self, desk: Client) -> None:
        make_customer("Ada", email="ada@shop.test")
        import_(desk, Vehicle, VEHICLES, ",1999,VW,Golf,AB 1,ada@shop.test")

        import_(desk, Vehicle, VEHICLES, ",1999,vw,GOLF,ab 1,ada@shop.test")

        assert Vehicle.objects.get().license_plate == "ab 1"

    def test_are_changed_by_their_vin(self, desk: Client) -> None:
        vehicle = make_vehicle()
        Vehicle.objects.update(vin=VIN)

        import_(desk, Vehicle, "VIN,Mileage", "1hgcm82633a-004352,120000")

        vehicle.refresh_from_db()
        assert vehicle.mileage == 120_000

    def test_change_hands_by_the_service(self, desk: Client) -> None:
        vehicle, other = make_vehicle(), make_customer("Bo")
        head = "Number,Owner number"

        import_(desk, Vehicle, head, f"{vehicle.pk},{other.pk}")

        vehicle.refresh_from_db()
        assert vehicle.customer == other

    def test_keep_their_owner_while_a_ticket_is_open(
        self, ticket: Any, desk: Client
    ) -> None:
        other = make_customer("Bo")
        row = f"{ticket.vehicle_id},{other.pk}"

        said = import_(desk, Vehicle, "Number,Owner number", row)

        assert said == "This vehicle has an open service ticket."

    def test_are_not_doubled_by_a_second_import(self, desk: Client) -> None:
        make_customer("Ada", email="ada@shop.test")
        rows = [
            VEHICLES,
            f"{VIN},2003,Honda,Accord,,ada@shop.test",
            ",1999,VW,Golf,AB 1,ada@shop.test",
        ]
        import_(desk, Vehicle, *rows)

        assert counts(upload(desk, Vehicle, *rows))["Unchanged"] == 2

    @pytest.mark.parametrize(
        ("row", "column"),
        [
            ("99999,,2003,VW,Golf,,", "Number"),
            (",,2003,VW,Golf,,", "Owner number"),
            (",,2003,VW,Golf,99999,", "Owner number"),
            (",,2003,VW,Golf,,x@shop.test", "Owner number"),
            (",,2003,VW,Golf,{ada},bo@shop.test", "Owner email"),
            (",IOQ,2003,VW,Golf,{ada},", "VIN"),
            (",,2003,VW,,{ada},", "Model"),
            (",,1700,VW,Golf,{ada},", "Year"),
            (",,soon,VW,Golf,{ada},", "Year"),
        ],
    )
    def test_with_a_mistake_name_their_column(
        self, row: str, column: str, desk: Client
    ) -> None:
        ada = make_customer("Ada", email="ada@shop.test")
        make_customer("Bo", email="bo@shop.test")
        head = "Number,VIN,Year,Make,Model,Owner number,Owner email"

        page = upload(desk, Vehicle, head, row.replace("{ada}", str(ada.pk)))

        assert {(place, heading) for place, heading, _ in problems(page)} == {
            (2, column)
        }

    def test_of_somebody_erased_are_not_added(self, desk: Client) -> None:
        owner = make_customer("Ada", email="ada@shop.test")
        row = f"{VIN},2003,Honda,Accord,A-1,ada@shop.test"
        page = upload(desk, Vehicle, VEHICLES, row)
        services.delete_customer(customer=owner)

        confirm(desk, Vehicle, page)

        assert not Vehicle.objects.exists()


class TestPages:
    def test_of_an_import_are_never_sent_twice(self, desk: Client) -> None:
        """Each page is a GET of its own, so that Back asks nothing."""
        file = SimpleUploadedFile("rows.csv", f"{CUSTOMERS}\nA,B,,1".encode())
        browser = {"accept": "text/html"}
        path = url(Customer, "import")
        answer = desk.post(path, {"import_file": file}, headers=browser)
        assert answer.status_code == 302
        page = desk.get(answer["Location"])
        token = page.context["confirm_form"]["token"].value()

        done = desk.post(url(Customer, "process_import"), {"token": token})

        assert done["Location"] == url(Customer, "changelist")
        assert desk.get(answer["Location"])["Location"] == url(Customer, "import")
        assert Customer.objects.count() == 1

    def test_of_a_plan_are_for_who_uploaded_it(self, desk: Client) -> None:
        page = upload(desk, Customer, CUSTOMERS, "A,B,,1")
        path = url(Customer, "import_plan", page.context["upload"].name)
        other = browser_of(make_user("other", is_superuser=True))

        assert other.get(path)["Location"] == url(Customer, "import")
