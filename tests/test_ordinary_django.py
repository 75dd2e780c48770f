"""What is prepared for speed changes nothing that Django or DRF would say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db.models import Count
from django.utils import timezone
from rest_framework import serializers
from rest_framework.test import APIClient, APIRequestFactory, force_authenticate

from customers.models import Customer, Vehicle
from customers.tests.factories import CustomerFactory, VehicleFactory
from inventory.models import Part, PartQuerySet
from inventory.serializers import PartSerializer
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import MANAGER, SERVICE_ADVISOR, TECHNICIAN
from mechanic_shop.accounts.tests.factories import UserFactory, user_in
from mechanic_shop.api.filters import ShopFilterSet, StrictBooleanFilter
from mechanic_shop.api.pagination import OneQueryPaginator
from mechanic_shop.api.serializers import ReadOnlyModelSerializer
from mechanic_shop.api.viewsets import ShopModelViewSet, ShopViewSet
from mechanic_shop.urls import router
from tickets.models import ServiceTicket
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db


class PlainPartViewSet(ShopModelViewSet[Part]):
    """The parts by a view set that names no query of its own."""

    action_permissions = {
        "list": "inventory.view_part",
        "retrieve": "inventory.view_part",
    }
    results_key = "parts"
    queryset = Part.objects.order_by("pk")
    serializer_class = PartSerializer


def login_with(*codenames: str) -> User:
    user = UserFactory.create()
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def get(
    view: type[ShopViewSet[Any]], user: User, query: str = "", **kwargs: str
) -> Any:
    request = APIRequestFactory().get(f"/{query}")
    force_authenticate(request, User.objects.get(pk=user.pk))
    actions: dict[str, Any] = {"get": "retrieve" if kwargs else "list"}
    return view.as_view(actions, detail=bool(kwargs))(request, **kwargs)


class TestRowsThatDependOnAPermission:
    @pytest.fixture(autouse=True)
    def _hide_inactive_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def visible_to(rows: PartQuerySet, user: User) -> PartQuerySet:
            return rows if user.has_perm("inventory.change_part") else rows.active()

        monkeypatch.setattr(PartQuerySet, "visible_to", visible_to)
        self.part = PartFactory.create(is_active=False)
        self.sees_all = login_with("view_part", "change_part")
        self.sees_some = login_with("view_part")

    def test_one_row_is_asked_for_by_each_caller_anew(self) -> None:
        statuses = [
            get(PlainPartViewSet, user, pk=str(self.part.pk)).status_code
            for user in (self.sees_all, self.sees_some, self.sees_all)
        ]

        assert statuses == [200, 404, 200]

    def test_list_is_asked_for_by_each_caller_anew(self) -> None:
        numbers = [
            len(get(PlainPartViewSet, user).data["parts"])
            for user in (self.sees_all, self.sees_some, self.sees_all)
        ]

        assert numbers == [1, 0, 1]


class CallerFilterSet(ShopFilterSet):
    kept = StrictBooleanFilter(method="filter_kept")

    class Meta:
        model = Part
        fields: list[str] = []

    def filter_kept(self, rows: PartQuerySet, name: str, value: bool) -> PartQuerySet:
        assert self.request is not None
        return rows if self.request.user.is_superuser else rows.active()


class TestFilterThatAsksForTheUser:
    def test_is_asked_for_each_caller_anew(self) -> None:
        class View(PlainPartViewSet):
            filterset_class = CallerFilterSet

        PartFactory.create(is_active=False)
        users = [UserFactory.create(superuser=True), login_with("view_part")]

        numbers = [len(get(View, user, "?kept=true").data["parts"]) for user in users]

        assert numbers == [1, 0]


class LoudField(serializers.CharField):
    def to_representation(self, value: Any) -> str:
        return str(value).upper()


class FieldOfTheCaller(serializers.CharField):
    def to_representation(self, value: Any) -> str:
        return f"{value} for {self.context['request'].user}"


class FieldOfTheParent(serializers.CharField):
    def get_attribute(self, instance: Any) -> Any:
        assert self.parent is not None
        return self.parent.context["request"].user


class TestFieldOfItsOwn:
    @pytest.mark.parametrize(
        ("field", "shown"),
        [
            (LoudField(), "OIL"),
            (FieldOfTheCaller(), "Oil for Ann"),
            (FieldOfTheParent(), "Ann"),
            (serializers.CharField(source="get_name"), "a method's"),
            (serializers.CharField(source="nothing.like_it", default="x"), "x"),
            (serializers.ChoiceField([(1, "one")], source="one"), 1),
            (serializers.DateTimeField(format="%Y", source="at"), "2026"),
            (serializers.DecimalField(5, 1, True, source="one"), "1.0"),
            (serializers.BooleanField(source="off"), False),
        ],
    )
    def test_is_asked_by_a_compiled_serializer(
        self, field: Any, shown: Any, rf: Any
    ) -> None:
        class Serializer(ReadOnlyModelSerializer[Part]):
            name = field

            class Meta:
                model = Part
                fields = ["name"]
                read_only_fields = fields

        part: Any = Part(name="Oil")
        part.get_name = lambda: "a method's"
        part.one, part.off = 1, "false"
        part.at = datetime(2026, 3, 2, tzinfo=UTC)
        request = rf.get("/")
        request.user = "Ann"

        for _ in range(2):
            serializer = Serializer(part, context={"request": request})
            assert serializer.data == {"name": shown}

    def test_is_left_out_where_a_serializer_chooses_its_fields(self) -> None:
        class Chosen(PartSerializer):
            def get_field_names(self, *args: Any) -> list[str]:
                return list(self.context["fields"])

        part = PartFactory.create()

        for names in (["name"], ["category"], ["name", "category"]):
            assert list(Chosen(part, context={"fields": names}).data) == names

    def test_is_left_out_where_it_was_taken_out(self) -> None:
        part = PartFactory.create()
        assert "price" in PartSerializer(part).data

        serializer = PartSerializer(part)
        serializer.fields.pop("price")

        assert "price" not in serializer.data


def parts() -> PartQuerySet:
    return Part.objects.order_by("pk")


class TestPageOfAQuerySet:
    @pytest.fixture(autouse=True)
    def _a_shop(self) -> None:
        CustomerFactory.create_batch(3, walk_in=True)
        CustomerFactory.create(walk_in=True, erased_at=timezone.now())
        for number in range(6):
            PartFactory.create(
                quantity_in_stock=number,
                is_active=number % 2 == 0,
                category="ABABAB"[number],
            )
        for status in ("open", "waiting", "open", "in_progress", "open"):
            TicketFactory.create(status=status)

    @pytest.mark.parametrize(
        "make",
        [
            lambda: parts(),
            lambda: parts().reverse(),
            lambda: Part.objects.order_by("category", "-pk").reverse(),
            lambda: parts().values("name"),
            lambda: parts().values_list("name", "pk"),
            lambda: parts().values_list("name", flat=True),
            lambda: parts().only("name"),
            lambda: parts().defer("name"),
            lambda: parts().filter(is_active=True, is_low=True),
            lambda: parts().filter(is_active=False).exclude(quantity_in_stock=1),
            lambda: parts().annotate(lines=Count("ticket_parts")),
            lambda: Part.objects.order_by("category").values("category").distinct(),
            lambda: Part.objects.order_by("pk")[1:6],
            lambda: (
                Part.objects.filter(quantity_in_stock__lt=3)
                .order_by()
                .union(Part.objects.filter(quantity_in_stock=4).order_by())
                .order_by("pk")
            ),
            lambda: parts().extra(select={"one": "1"}),
            lambda: Customer.objects.filter(erased_at=None).order_by("-pk"),
            lambda: Customer.objects.exclude(erased_at=None).order_by("pk"),
            lambda: Customer.objects.prefetch_related("vehicles").order_by("pk"),
            lambda: Vehicle.objects.select_related("customer").order_by("pk"),
            lambda: Vehicle.objects.select_related("customer__user").order_by("-pk"),
            lambda: Vehicle.objects.filter(customer__erased_at=None).order_by("pk"),
            lambda: ServiceTicket.objects.with_customer(),
            lambda: ServiceTicket.objects.order_by("vehicle__vin", "pk"),
            lambda: ServiceTicket.objects.filter(status__in=["open"]).order_by("pk"),
            lambda: list(parts()),
        ],
    )
    def test_is_that_part_of_it(self, make: Callable[[], Any]) -> None:
        rows = make()
        every = list(rows)

        for number in (1, 2, 3):
            page = list(OneQueryPaginator(make(), 2).get_page(number))
            last = max(-(-len(every) // 2), 1)
            start = (min(number, last) - 1) * 2
            assert page == every[start : start + 2]
            for found, expected in zip(page, every[start : start + 2], strict=True):
                assert loaded(found) == loaded(expected)


def loaded(row: Any) -> Any:
    """Return what was read of a row, without the total that a page carries."""
    if not hasattr(row, "_state"):
        return row
    hidden = {"_state", "total_count", "_prefetched_objects_cache"}
    columns = {name: vars(row)[name] for name in vars(row).keys() - hidden}
    return columns, set(row._state.fields_cache)


#: The paths of the view sets that name a query of their own.
NAMED = {
    "CustomerViewSet": "/api/customers",
    "PartViewSet": "/api/inventory",
    "ServiceTicketViewSet": "/api/service-tickets",
    "VehicleViewSet": "/api/vehicles",
}


def views_with_named_queries() -> Iterator[type[ShopViewSet[Any]]]:
    callbacks: list[Any] = [getattr(url, "callback", None) for url in router.urls]
    for view in {callback.cls for callback in callbacks if callback}:
        if view.detail_query is not None or view.list_queries:
            yield view


ROLES = (MANAGER, SERVICE_ADVISOR, TECHNICIAN)


class TestNamedQueries:
    """A view set's named queries find what ``visible_to`` and the filters find."""

    def test_are_all_compared(self) -> None:
        assert {view.__name__ for view in views_with_named_queries()} == NAMED.keys()

    @pytest.mark.parametrize("role", [*ROLES, "Customer", None])
    def test_find_what_the_query_set_of_the_view_finds(
        self,
        role: str | None,
        client_of: Callable[[User], APIClient],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        shop_with_hidden_rows()
        client = client_of(login_as(role))

        paths = paths_of_named_queries()
        named = answers(client, paths)
        for view in views_with_named_queries():
            monkeypatch.setattr(view, "detail_query", None)
            monkeypatch.setattr(view, "list_queries", {})

        assert not list(views_with_named_queries())
        assert answers(client, paths) == named


def paths_of_named_queries() -> list[str]:
    paths: list[str] = []
    for view in views_with_named_queries():
        base, rows = NAMED[view.__name__], view.queryset.model._default_manager.all()  # type: ignore[union-attr]
        for query in view.list_queries:
            paths += [f"{base}?{query}&per_page=2&page={n}" for n in (1, 2, 9)]
        paths += [f"{base}/{pk}" for pk in rows.values_list("pk", flat=True)]
    return paths


def answers(client: APIClient, paths: list[str]) -> dict[str, tuple[int, Any]]:
    found = {path: client.get(path) for path in paths}
    return {
        path: (answer.status_code, {**answer.json(), "request_id": None})
        for path, answer in found.items()
    }


def shop_with_hidden_rows() -> None:
    for status in ("open", "in_progress", "in_progress", "in_progress"):
        TicketFactory.create(status=status)
    VehicleFactory.create_batch(2)
    CustomerFactory.create(walk_in=True, erased_at=timezone.now())
    for number in range(8):
        PartFactory.create(quantity_in_stock=number * 3, is_active=number % 3 > 0)


def login_as(role: str | None) -> User:
    if role is None:
        return UserFactory.create()
    if role == "Customer":
        user = Customer.objects.exclude(user=None).earliest("pk").user
        assert user is not None
        return user
    return user_in(role)
