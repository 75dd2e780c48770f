from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from rest_framework.test import APIClient

from customers.models import Customer
from customers.tests.factories import CustomerFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.tests.factories import UserFactory

pytestmark = pytest.mark.django_db

BODY = {"first_name": "Jordan", "last_name": "Rivera", "phone": "555 0199"}
FIELDS = [
    "customer_id",
    "first_name",
    "last_name",
    "email",
    "phone",
    "address",
    "city",
    "state",
    "postal_code",
    "created_at",
    "updated_at",
]
LIMITS = {
    "first_name": 255,
    "last_name": 255,
    "phone": 50,
    "address": 255,
    "city": 100,
    "state": 50,
    "postal_code": 20,
}


def listed(shop: APIClient, **query: str) -> list[int]:
    answer = shop.get("/api/customers", query)
    assert answer.status_code == 200, answer.data
    return [customer["customer_id"] for customer in answer.data["customers"]]


class TestListCustomers:
    def test_pages_by_id(self, shop: APIClient) -> None:
        ids = [CustomerFactory.create().pk for _ in range(5)]

        answer = shop.get("/api/customers", {"page": 2, "per_page": 2})

        assert [row["customer_id"] for row in answer.data["customers"]] == ids[2:4]
        assert answer.data["pagination"] == {
            "page": 2,
            "per_page": 2,
            "total_customers": 5,
            "total_pages": 3,
            "has_next": True,
            "has_prev": True,
        }

    def test_gives_ten_to_a_page_and_an_empty_first_one(self, shop: APIClient) -> None:
        empty = shop.get("/api/customers").data
        for _ in range(11):
            CustomerFactory.create()

        full = shop.get("/api/customers/").data

        assert empty["customers"] == []
        assert empty["pagination"]["total_customers"] == 0
        assert (len(full["customers"]), full["pagination"]["per_page"]) == (10, 10)
        assert (full["pagination"]["has_next"], full["pagination"]["has_prev"]) == (
            True,
            False,
        )

    @pytest.mark.parametrize("name", ["page", "per_page"])
    @pytest.mark.parametrize("value", ["0", "-1", "x", "", "1.0", "+1", "１"])
    def test_refuses_what_is_no_positive_integer(
        self, shop: APIClient, name: str, value: str
    ) -> None:
        answer = shop.get("/api/customers", {name: value})

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {name}

    def test_takes_up_to_a_hundred_on_a_page(self, shop: APIClient) -> None:
        assert shop.get("/api/customers", {"per_page": 100}).status_code == 200
        assert shop.get("/api/customers", {"per_page": 101}).status_code == 400

    @pytest.mark.parametrize("page", ["2", "999999999", "1" + "0" * 30])
    def test_has_nothing_behind_the_last_page(self, shop: APIClient, page: str) -> None:
        CustomerFactory.create()

        assert shop.get("/api/customers", {"page": page}).status_code == 404

    @pytest.mark.parametrize(
        "words", ["rivera", "JORD", "jordan rivera", "rivera@exa", "0199", "RIVERA 555"]
    )
    def test_searches_name_email_and_phone(self, shop: APIClient, words: str) -> None:
        found = CustomerFactory.create(**BODY, email="j.rivera@example.com")
        CustomerFactory.create(first_name="Jordan", last_name="Lee")

        ids = listed(shop, search=words)

        assert found.pk in ids
        assert len(ids) == (2 if words == "JORD" else 1)

    @pytest.mark.parametrize("words", ["%", "_", "' OR 1=1 --", "riviera"])
    def test_takes_a_search_literally(self, shop: APIClient, words: str) -> None:
        CustomerFactory.create(**BODY)

        assert listed(shop, search=words) == []

    @pytest.mark.parametrize(
        ("ordering", "expected"),
        [
            ("last_name", "abc"),
            ("-last_name", "cba"),
            ("email", "cab"),
            ("-email", "bac"),
            ("created_at", "bca"),
            ("-created_at", "acb"),
            ("", "bac"),
        ],
    )
    def test_is_ordered_as_asked(
        self, shop: APIClient, ordering: str, expected: str
    ) -> None:
        emails = {"b": "3@example.com", "a": "2@example.com", "c": "1@example.com"}
        ids = {
            CustomerFactory.create(last_name=name, email=email).pk: name
            for name, email in emails.items()
        }
        for day, name in enumerate("bca", start=1):
            created_at = datetime(2024, 1, day, tzinfo=UTC)
            Customer.objects.filter(last_name=name).update(created_at=created_at)

        found = listed(shop, ordering=ordering)

        assert "".join(ids[pk] for pk in found) == expected

    def test_breaks_ties_by_id(self, shop: APIClient) -> None:
        ids = [CustomerFactory.create(last_name="Same").pk for _ in range(4)]

        assert listed(shop, ordering="last_name") == ids

    @pytest.mark.parametrize("ordering", ["phone", "user__password", "last_name,x"])
    def test_refuses_to_order_by_anything_else(
        self, shop: APIClient, ordering: str
    ) -> None:
        answer = shop.get("/api/customers", {"ordering": ordering})

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {"ordering"}

    def test_tells_who_changed_after_a_moment(self, shop: APIClient) -> None:
        old, new = CustomerFactory.create(), CustomerFactory.create()
        moment = datetime(2024, 1, 1, tzinfo=UTC)
        Customer.objects.filter(pk=old.pk).update(updated_at=moment)
        Customer.objects.filter(pk=new.pk).update(
            updated_at=moment + timedelta(seconds=1)
        )

        assert listed(shop, updated_after="2024-01-01T00:00:00Z") == [new.pk]
        assert listed(shop, updated_after="2023-12-31T23:59:59Z") == [old.pk, new.pk]

    def test_refuses_a_moment_that_is_none(self, shop: APIClient) -> None:
        answer = shop.get("/api/customers", {"updated_after": "yesterday"})

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {"updated_after"}

    def test_ignores_parameters_it_does_not_know(self, shop: APIClient) -> None:
        CustomerFactory.create()

        assert len(listed(shop, user__password="x", color="red")) == 1


class TestCreateCustomer:
    def test_needs_a_name_and_a_phone(self, shop: APIClient) -> None:
        answer = shop.post("/api/customers", BODY)

        assert answer.status_code == 201
        assert list(answer.data) == FIELDS
        assert answer.data == {
            **BODY,
            "customer_id": Customer.objects.get().pk,
            "email": None,
            **dict.fromkeys(["address", "city", "state", "postal_code"], ""),
            "created_at": answer.data["created_at"],
            "updated_at": answer.data["updated_at"],
        }
        assert answer.data["created_at"].endswith("Z")

    @pytest.mark.parametrize("email", [None, "", "  "])
    def test_keeps_an_absent_email_as_null(
        self, shop: APIClient, email: str | None
    ) -> None:
        first = shop.post("/api/customers", {**BODY, "email": email})
        second = shop.post("/api/customers", {**BODY, "email": email})

        assert (first.status_code, second.status_code) == (201, 201)
        assert first.data["email"] is None
        assert Customer.objects.filter(email=None).count() == 2

    def test_makes_no_login(self, shop: APIClient, owner: User) -> None:
        shop.post("/api/customers", {**BODY, "email": "jordan@example.com"})

        assert User.objects.get() == owner
        assert Customer.objects.get().user is None

    @pytest.mark.parametrize("typed", ["a@example.com", " A@Example.COM"])
    def test_refuses_a_taken_email(self, shop: APIClient, typed: str) -> None:
        CustomerFactory.create(walk_in=True, email="a@example.com")

        answer = shop.post("/api/customers", {**BODY, "email": typed})

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {"email"}
        assert Customer.objects.count() == 1

    @pytest.mark.parametrize("name", list(BODY))
    def test_names_a_missing_field(self, shop: APIClient, name: str) -> None:
        body = {key: value for key, value in BODY.items() if key != name}

        answer = shop.post("/api/customers", body)

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {name}

    @pytest.mark.parametrize(("name", "limit"), list(LIMITS.items()))
    def test_takes_a_field_up_to_its_limit(
        self, shop: APIClient, name: str, limit: int
    ) -> None:
        fits = shop.post("/api/customers", {**BODY, name: "é" * limit})
        too_long = shop.post("/api/customers", {**BODY, name: "é" * (limit + 1)})

        assert fits.status_code == 201
        assert fits.data[name] == "é" * limit
        assert too_long.status_code == 400
        assert too_long.data["fields"].keys() == {name}

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("first_name", ""),
            ("last_name", "   "),
            ("phone", None),
            ("phone", ["555"]),
            ("first_name", True),
            ("city", None),
            ("city", "Re\x00no"),
            ("email", "no address"),
            ("email", "jördan@example.com"),
            ("email", 5),
            ("user", 1),
            ("is_staff", True),
            ("customer_id", 7),
        ],
    )
    def test_refuses_a_bad_value(
        self, shop: APIClient, name: str, value: object
    ) -> None:
        answer = shop.post("/api/customers", {**BODY, name: value})

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {name}
        assert not Customer.objects.exists()


class TestUpdateCustomer:
    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_keeps_what_is_left_out(self, shop: APIClient, method: str) -> None:
        customer = CustomerFactory.create(city="Reno", address="1 Elm St")
        path = f"/api/customers/{customer.pk}"

        answer = getattr(shop, method)(path, {"city": " Elko ", "address": ""})

        assert answer.status_code == 200
        assert answer.data["city"] == "Elko"
        customer.refresh_from_db()
        assert (customer.city, customer.address) == ("Elko", "")
        assert (customer.first_name, customer.phone) == ("Casey", "555-0100")

    @pytest.mark.parametrize(
        "change",
        [
            {"customer_id": 0},
            {"created_at": "2024-01-01T00:00:00Z"},
            {"updated_at": "2024-01-01T00:00:00Z"},
            {"loyalty": "gold"},
            {"user": None},
        ],
        ids=str,
    )
    def test_names_a_read_only_or_unknown_field_and_changes_nothing(
        self, shop: APIClient, change: dict[str, object]
    ) -> None:
        customer = CustomerFactory.create(city="Reno")

        answer = shop.put(f"/api/customers/{customer.pk}", {"city": "Elko", **change})

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == change.keys()
        customer.refresh_from_db()
        assert customer.city == "Reno"

    @pytest.mark.parametrize("email", [None, "", "b@example.com"])
    def test_lets_a_customer_without_login_have_any_email_or_none(
        self, shop: APIClient, email: str | None
    ) -> None:
        customer = CustomerFactory.create(walk_in=True)

        answer = shop.patch(f"/api/customers/{customer.pk}", {"email": email})

        assert answer.status_code == 200
        customer.refresh_from_db()
        assert customer.email == (email or None)

    def test_changes_the_login_of_the_customer_too(self, shop: APIClient) -> None:
        customer = CustomerFactory.create()
        body = {"email": " New@Example.com", "first_name": "Kim"}

        answer = shop.put(f"/api/customers/{customer.pk}", body)

        user = User.objects.get(customer=customer)
        assert answer.data["email"] == user.email == "new@example.com"
        assert user.first_name == "Kim"

    def test_keeps_the_customer_signed_in_when_the_email_changes(
        self, shop: APIClient, anonymous: APIClient
    ) -> None:
        customer = CustomerFactory.create()

        shop.put(f"/api/customers/{customer.pk}", {"email": "new@example.com"})

        body = {"email": "new@example.com", "password": "correct-horse-battery"}
        assert anonymous.post("/api/auth/login", body).status_code == 200

    @pytest.mark.parametrize("email", [None, ""])
    def test_leaves_no_login_without_an_email(
        self, shop: APIClient, email: str | None
    ) -> None:
        customer = CustomerFactory.create(email="a@example.com")

        answer = shop.patch(f"/api/customers/{customer.pk}", {"email": email})

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {"email"}
        customer.refresh_from_db()
        assert customer.email == "a@example.com"

    def test_refuses_the_email_of_another_customer(self, shop: APIClient) -> None:
        CustomerFactory.create(walk_in=True, email="taken@example.com")
        customer = CustomerFactory.create(email="a@example.com")

        answer = shop.put(
            f"/api/customers/{customer.pk}", {"email": "Taken@example.com"}
        )

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {"email"}
        assert User.objects.filter(email="a@example.com").exists()

    def test_refuses_the_email_of_another_login(self, shop: APIClient) -> None:
        UserFactory.create(email="taken@example.com", is_staff=True)
        customer = CustomerFactory.create(email="a@example.com")

        answer = shop.put(
            f"/api/customers/{customer.pk}",
            {"city": "Elko", "email": "taken@example.com"},
        )

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {"email"}
        customer.refresh_from_db()
        assert (customer.email, customer.city) == ("a@example.com", "")

    def test_shows_one_customer(self, shop: APIClient) -> None:
        customer = CustomerFactory.create(city="Reno")

        answer = shop.get(f"/api/customers/{customer.pk}/")

        assert answer.status_code == 200
        assert list(answer.data) == FIELDS
        assert answer.data["city"] == "Reno"

    @pytest.mark.parametrize("pk", ["0", "9" * 30, "x", "-1", "１"])
    def test_has_nothing_under_an_id_that_is_none(
        self, shop: APIClient, pk: str
    ) -> None:
        answer = shop.get(f"/api/customers/{pk}")

        assert answer.status_code == 404
        assert answer.data["code"] == "not_found"
