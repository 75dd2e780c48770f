"""Customers and vehicles in the back office."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.forms import PaginationInlineFormSet

from mechanic_shop.admin import (
    ShopInline,
    ShopModelAdmin,
    changes_of,
    dialog,
    user_of,
)

from . import services
from .models import Customer, Vehicle


class VehicleFormSet(PaginationInlineFormSet):
    def delete_existing(self, obj: Vehicle, commit: bool = True) -> None:
        if commit:
            services.delete_vehicle(vehicle=obj)


class VehicleInline(ShopInline):
    model = Vehicle
    formset = VehicleFormSet
    fields = (
        "year",
        "make",
        "model",
        "license_plate",
        "vin",
        "color",
        "mileage",
    )
    show_change_link = True
    hide_title = False  # the title carries that link


@admin.register(Customer)
class CustomerAdmin(ShopModelAdmin):
    deletes_through_service = True
    list_display = ("name", "email", "phone", "city", "has_login", "created_at")
    list_filter = (("user", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("user",)
    search_fields = ("first_name", "last_name", "email", "phone")
    ordering = ("last_name", "first_name", "pk")
    # A link to a login is made by the mailed invitation only: linked by hand, a
    # change of the customer's address would take over somebody's login.
    readonly_fields = ("user", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": (("first_name", "last_name"), ("email", "phone"), "user")}),
        ("Address", {"fields": ("address", ("city", "state", "postal_code"))}),
        ("Times", {"fields": (("created_at", "updated_at"),)}),
    )
    inlines = (VehicleInline,)
    actions_detail = ("invite",)

    @admin.display(description="Name", ordering="last_name")
    def name(self, customer: Customer) -> str:
        return customer.full_name

    @admin.display(description="Login", boolean=True)
    def has_login(self, customer: Customer) -> bool:
        return customer.user_id is not None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        """Leave out the erased: they stay for the books and are nobody any more."""
        customers: QuerySet[Customer] = super().get_queryset(request)
        return customers.filter(erased_at=None)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Say which customers are erased and not deleted."""
        gone, *rest = super().get_deleted_objects(objs, request)
        kept = Customer.objects.filter(
            pk__in=[customer.pk for customer in objs], service_tickets__isnull=False
        )
        if names := [str(customer) for customer in kept.distinct()]:
            gone = [
                *gone,
                f"Kept for the books, without personal data: {', '.join(names)}",
            ]
        return gone, *rest

    def save_model(
        self, request: HttpRequest, obj: Customer, form: forms.ModelForm, change: bool
    ) -> None:
        if change:
            services.update_customer(
                customer=obj, by=user_of(request), **changes_of(obj, form)
            )
        else:
            obj.save()

    def delete_model(self, request: HttpRequest, obj: Customer) -> None:
        services.delete_customer(customer=obj)

    @dialog(
        "Invite",
        icon="forward_to_inbox",
        permission="invite",
        title="Mail a link that sets the password?",
        text="The customer gets a login that only this link opens.",
        submit="Send",
    )
    def invite(
        self, request: HttpRequest, form: forms.Form, object_id: str
    ) -> HttpResponse:
        def send(customer: Customer) -> str:
            services.invite_customer(customer=customer)
            return f"A link is on its way to {customer.email}."

        return self.carry_out(request, object_id, send)

    def has_invite_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("customers.change_customer")


@admin.register(Vehicle)
class VehicleAdmin(ShopModelAdmin):
    deletes_through_service = True
    list_display = ("name", "license_plate", "vin", "mileage", "customer")
    list_filter = ("make", "year")
    list_select_related = ("customer",)
    search_fields = (
        "vin",
        "license_plate",
        "make",
        "model",
        "customer__first_name",
        "customer__last_name",
    )
    ordering = ("-pk",)
    autocomplete_fields = ("customer",)
    readonly_fields = ("check_digit", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("customer", ("year", "make", "model"), "color")}),
        (
            "Identity",
            {"fields": (("license_plate", "mileage"), ("vin", "check_digit"))},
        ),
        ("Times", {"fields": (("created_at", "updated_at"),)}),
    )

    @admin.display(description="Vehicle", ordering="make")
    def name(self, vehicle: Vehicle) -> str:
        return str(vehicle)

    @admin.display(description="VIN check digit")
    def check_digit(self, vehicle: Vehicle) -> str:
        return vehicle.vin_check.replace("_", " ")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Vehicle]:
        vehicles: QuerySet[Vehicle] = super().get_queryset(request)
        return vehicles.filter(customer__erased_at=None)

    def get_field_queryset(self, db: Any, db_field: Any, request: HttpRequest) -> Any:
        if db_field.name == "customer":
            return Customer.objects.not_erased()
        return super().get_field_queryset(db, db_field, request)

    def save_model(
        self, request: HttpRequest, obj: Vehicle, form: forms.ModelForm, change: bool
    ) -> None:
        if not change:
            return obj.save()
        if "customer" in form.changed_data:
            before = Vehicle.objects.get(pk=obj.pk)
            services.change_owner(vehicle=before, customer=obj.customer)
        return obj.save(update_fields=[*form.changed_data, "updated_at"])

    def delete_model(self, request: HttpRequest, obj: Vehicle) -> None:
        services.delete_vehicle(vehicle=obj)
