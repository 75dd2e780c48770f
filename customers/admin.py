"""Admin pages of customers and vehicles."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format

from mechanic_shop.accounts.admin import LOGIN_COLORS, login_status
from mechanic_shop.accounts.roles import is_staff_login
from mechanic_shop.admin import (
    ShopInline,
    ShopInlineFormSet,
    ShopModelAdmin,
    badge_column,
    changed_values,
    copy_state,
    dialog,
    give_hints,
    saving_row,
    user_of,
)
from mechanic_shop.admin.confirmed_actions import confirmed_action
from mechanic_shop.admin.history import HistoryAdminMixin
from mechanic_shop.admin.imports import ImportMixin
from mechanic_shop.admin.selects import join_label
from mechanic_shop.admin.sidebar import link_to_list
from mechanic_shop.core.errors import InUse

from . import services
from .export_columns import CUSTOMER_COLUMNS, VEHICLE_COLUMNS
from .hints import hint_at_double, hint_at_mileage
from .models import Customer, Vehicle
from .vin import normalize_vin


class VinField(forms.CharField):
    """A VIN as people type it: case, spaces and dashes do not matter."""

    default_error_messages = {
        "max_length": "A VIN has no more than %(limit_value)d characters; this has"
        " %(show_value)d."
    }

    def to_python(self, value: Any) -> Any:
        typed = super().to_python(value)
        return normalize_vin(typed) or self.empty_value if typed else typed


class VehicleForm(forms.ModelForm):
    class Meta:
        field_classes = {"vin": VinField}


class VehicleFormSet(ShopInlineFormSet):
    def save_new(self, form: forms.ModelForm, commit: bool = True) -> Vehicle:
        vehicle: Vehicle = super().save_new(form, commit=False)
        return services.add_vehicle(vehicle=vehicle) if commit else vehicle

    def save_existing(
        self, form: forms.ModelForm, obj: Vehicle, commit: bool = True
    ) -> Vehicle:
        vehicle: Vehicle = super().save_existing(form, obj, commit=False)
        if not commit:
            return vehicle
        changes = changed_values(vehicle, form)
        return services.update_vehicle(vehicle=vehicle, **changes)

    def delete_existing(self, obj: Vehicle, commit: bool = True) -> None:
        if commit:
            with saving_row(self, obj):
                services.delete_vehicle(vehicle=obj)


class VehicleInline(ShopInline):
    model = Vehicle
    form = VehicleForm
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


link_to_list(Customer, section="Customers", icon="person", order=30)


@admin.register(Customer)
class CustomerAdmin(ImportMixin, HistoryAdminMixin, ShopModelAdmin):
    deletes_through_service = True
    delete_confirmation_template = "admin/erase_customer.html"
    empty_message = "A customer's vehicles go onto the same page."
    list_display = (
        "name",
        "phone",
        "email",
        "vehicle_count",
        "login",
        "since",
    )
    # An exported file can be edited and imported again.
    export_columns = CUSTOMER_COLUMNS
    list_filter = (("user", admin.EmptyFieldListFilter), "created_at", "city")
    list_select_related = ("user",)
    search_fields = ("search_text",)
    ordering = ("last_name", "first_name", "pk")
    # Only the mailed invitation links a login. If staff could link one, a change of
    # the customer's address would take over somebody's login.
    readonly_fields = ("user", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": (("first_name", "last_name"), ("email", "phone"), "user")}),
        (
            "Address",
            {"fields": (("address", "city"), ("state", "postal_code"))},
        ),
        ("Times", {"fields": (("created_at", "updated_at"),)}),
    )
    inlines = (VehicleInline,)
    actions = ("invite_selected",)
    actions_detail = ("invite",)

    def get_choices(
        self, request: HttpRequest, rows: QuerySet[Customer]
    ) -> QuerySet[Customer]:
        return rows.filter(erased_at=None)

    def get_choice_label(self, request: HttpRequest, obj: Customer) -> str:
        return join_label(str(obj), obj.phone)

    @admin.display(description="Name", ordering="last_name")
    def name(self, customer: Customer) -> str:
        return customer.full_name

    @admin.display(description="Vehicles", ordering="vehicle_count")
    def vehicle_count(self, customer: Any) -> int:
        return customer.vehicle_count  # type: ignore[no-any-return]

    @badge_column("Login", LOGIN_COLORS)
    def login(self, customer: Customer) -> str | None:
        return login_status(customer.user)

    @admin.display(description="Since", ordering="created_at")
    def since(self, customer: Customer) -> str:
        return date_format(timezone.localtime(customer.created_at))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        """Leave out erased customers, who are kept for accounting only."""
        customers: QuerySet[Customer] = super().get_queryset(request)
        return customers.filter(erased_at=None).annotate(
            vehicle_count=Count("vehicles")
        )

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """List which customers are deleted, and of which an empty record is kept."""
        _, counts, lacking, protected = super().get_deleted_objects(objs, request)
        lines = [_deletion_summary(customer) for customer in with_deletion_counts(objs)]
        return lines, counts, lacking, protected

    def render_delete_form(
        self, request: HttpRequest, context: dict[str, Any]
    ) -> HttpResponse:
        [customer] = with_deletion_counts([context["object"]])
        details: dict[str, Any] = {
            "goes": list_deleted_data(customer),
            "stays": list_kept_data(customer),
            "is_open": customer.service_tickets.still_open().exists(),
        }
        response: HttpResponse = super().render_delete_form(
            request, {**context, **details}
        )
        return response

    def save_model(
        self, request: HttpRequest, obj: Customer, form: forms.ModelForm, change: bool
    ) -> None:
        if not change or {"first_name", "last_name", "phone"} & {*form.changed_data}:
            give_hints(request, hint_at_double(obj))
        if change:
            services.update_customer(
                customer=obj,
                by=user_of(request),
                # Staff are signed in to the back office; the old address is told.
                has_confirmed=True,
                **changed_values(obj, form),
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

        return self.run_service(request, object_id, send)

    @confirmed_action(
        "Invite selected customers",
        permission="invite",
        title="Mail these customers a link that sets their password?",
        text="Each gets a login that only the link opens. Who has no email address, or"
        " a login in use, is left out.",
        submit="Send",
    )
    def invite_selected(
        self, request: HttpRequest, queryset: QuerySet[Customer]
    ) -> None:
        customers = list(queryset.order_by("pk"))
        invited = [customer for customer in customers if _can_be_invited(customer)]
        for customer in invited:
            services.invite_customer(customer=customer)
            self.log_change(request, customer, "Invited.")
        left_out = len(customers) - len(invited)
        message = f"{len(invited)} invited, {left_out} left out."
        self.message_user(request, message, messages.SUCCESS)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Hide the button for customers who have accepted their invitation."""
        offered = super().get_actions_detail(request, object_id)
        customer = self.get_object(request, str(object_id))
        in_use = customer and customer.user and customer.user.has_usable_password()
        return [
            button for button in offered if not (in_use and button.path == "invite")
        ]

    def has_invite_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("customers.change_customer")


def _can_be_invited(customer: Customer) -> bool:
    user = customer.user
    return bool(customer.email) and (user is None or not user.has_usable_password())


def with_deletion_counts(customers: Any) -> QuerySet[Any]:
    """Load customers with the counts that decide between deleting and erasing."""
    pks = [customer.pk for customer in customers]
    tickets = Count("service_tickets", distinct=True)
    # Tickets of an earlier owner keep the vehicle too, and with it this customer.
    of_vehicles = Count("vehicles__service_tickets", distinct=True)
    counted = Customer.objects.filter(pk__in=pks).annotate(
        tickets=tickets,
        vehicle_tickets=of_vehicles,
        vehicle_count=Count("vehicles", distinct=True),
    )
    return counted.select_related("user").order_by("pk")


def _is_erased(customer: Any) -> bool:
    return bool(customer.tickets or customer.vehicle_tickets)


def _deletion_summary(customer: Any) -> str:
    vehicles = _pluralize(customer.vehicle_count, "vehicle")
    if _is_erased(customer):
        tickets = _pluralize(customer.tickets, "ticket")
        return f"{customer}: erased; {tickets} and {vehicles} stay without a name"
    return f"{customer}: deleted, with {vehicles}"


def list_deleted_data(customer: Any) -> list[str]:
    """List the data that is deleted, for the confirmation page."""
    lines = ["Name, email, phone and address, in the history of changes too"]
    if customer.user is not None and not is_staff_login(customer.user):
        lines.append(f"The login {customer.user}, which closes at once")
    if not _is_erased(customer):
        lines += (
            [_pluralize(customer.vehicle_count, "vehicle")]
            if customer.vehicle_count
            else []
        )
        return [*lines, "The record itself"]
    if customer.vehicle_count:
        lines.append(
            f"VIN and plate of {_pluralize(customer.vehicle_count, 'vehicle')}"
        )
    return lines


def list_kept_data(customer: Any) -> list[str]:
    """List the data that is kept for accounting, for the confirmation page."""
    lines = []
    if customer.user is not None and is_staff_login(customer.user):
        lines.append(f"The login {customer.user}, which is a colleague's")
    if not _is_erased(customer):
        return lines
    if customer.tickets:
        tickets = _pluralize(customer.tickets, "ticket")
        lines.append(f"{tickets}, with the work, the parts and the prices")
    if customer.vehicle_count:
        lines.append("Year, make, model and mileage of the vehicles")
    return [*lines, "An empty record, shown as “(erased)”"]


def _pluralize(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


link_to_list(Vehicle, section="Customers", icon="directions_car", order=31)


@admin.register(Vehicle)
class VehicleAdmin(ImportMixin, HistoryAdminMixin, ShopModelAdmin):
    deletes_through_service = True
    form = VehicleForm
    error_fields = {InUse: "customer", services.OwnerChanged: "customer"}
    empty_message = "Vehicles belong to customers: add the owner first."
    list_display = ("name", "license_plate", "vin", "miles", "customer")
    # An exported file can be edited and imported again.
    export_columns = VEHICLE_COLUMNS
    list_filter = ("make", "year")
    list_select_related = ("customer",)
    search_fields = ("search_text", "customer__search_text")
    choice_select_related = ("customer",)
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

    def get_choices(
        self, request: HttpRequest, rows: QuerySet[Vehicle]
    ) -> QuerySet[Vehicle]:
        return rows.filter(customer__erased_at=None)

    def get_choice_label(self, request: HttpRequest, obj: Vehicle) -> str:
        tail = f"VIN …{obj.vin[-6:]}" if obj.vin else ""
        owner = request.user.has_perm("customers.view_customer")
        return join_label(
            str(obj), obj.license_plate or tail, str(obj.customer) if owner else ""
        )

    @admin.display(description="Vehicle", ordering="make")
    def name(self, vehicle: Vehicle) -> str:
        return str(vehicle)

    @admin.display(description="Mileage", ordering="mileage")
    def miles(self, vehicle: Vehicle) -> str | None:
        return None if vehicle.mileage is None else f"{vehicle.mileage:,}"

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
            copy_state(obj, services.add_vehicle(vehicle=obj))
            return
        if "mileage" in form.changed_data:
            give_hints(request, hint_at_mileage(obj))
        changes, vehicle = changed_values(obj, form), Vehicle.objects.get(pk=obj.pk)
        if owner := changes.pop("customer", None):
            vehicle = services.change_owner(vehicle=vehicle, customer=owner)
        copy_state(obj, services.update_vehicle(vehicle=vehicle, **changes))

    def delete_model(self, request: HttpRequest, obj: Vehicle) -> None:
        services.delete_vehicle(vehicle=obj)
