"""Admin pages of mechanics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget

from mechanic_shop.accounts.admin import (
    LOGIN_COLORS,
    log_permission_change,
    login_status,
    read_permissions,
)
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import shop_roles
from mechanic_shop.admin import ShopModelAdmin, badge_column, dialog, user_of
from mechanic_shop.admin.confirmed_actions import confirmed_action
from mechanic_shop.admin.export import ExportMixin
from mechanic_shop.admin.history import HistoryAdminMixin
from mechanic_shop.admin.selects import join_label
from mechanic_shop.admin.sidebar import link_to_list

from . import services
from .models import Mechanic


class GiveLoginForm(BaseDialogForm):
    group = forms.ModelChoiceField(
        queryset=Group.objects.none(),
        empty_label=None,
        widget=UnfoldAdminSelectWidget,
        label="Role",
        help_text="What the mechanic may do in the shop.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        group = self.fields["group"]
        assert isinstance(group, forms.ModelChoiceField)
        group.queryset = shop_roles().order_by("-name")


link_to_list(Mechanic, section="Workshop", icon="engineering", order=13)


@admin.register(Mechanic)
class MechanicAdmin(ExportMixin, HistoryAdminMixin, ShopModelAdmin):
    deletes_through_service = True
    empty_message = (
        "Mechanics are the people who do the work and are assigned to tickets."
    )
    guarded_fields = {
        "salary": ("mechanics.view_salary",),
        "yearly_salary": ("mechanics.view_salary",),
    }
    list_display = (
        "full_name",
        "email",
        "phone",
        "yearly_salary",
        "tickets",
        "login",
        "employment_status",
    )
    list_filter = ("is_active", ("user", admin.EmptyFieldListFilter))
    list_select_related = ("user",)
    search_fields = ("search_text",)
    ordering = ("full_name", "pk")
    autocomplete_fields = ("user",)
    readonly_fields = ("employment_status", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": (("full_name", "employment_status"), ("email", "phone"))}),
        ("Employment", {"fields": ("user", "salary")}),
        ("Times", {"fields": (("created_at", "updated_at"),)}),
    )
    add_fieldsets = ((None, {"fields": ("full_name", ("email", "phone"), "salary")}),)
    actions = ("deactivate_selected",)
    actions_detail = ("give_login", "deactivate", "reactivate")

    def get_choices(
        self, request: HttpRequest, rows: QuerySet[Mechanic]
    ) -> QuerySet[Mechanic]:
        return rows.filter(is_active=True)

    def get_choice_label(self, request: HttpRequest, obj: Mechanic) -> str:
        return join_label(str(obj), obj.phone)

    @admin.display(description="Salary a year", ordering="salary")
    def yearly_salary(self, mechanic: Mechanic) -> str:
        return f"{mechanic.salary:,}"

    @admin.display(description="Tickets", ordering="ticket_count")
    def tickets(self, mechanic: Mechanic) -> int:
        return mechanic.ticket_count  # type: ignore[attr-defined, no-any-return]

    @badge_column("Login", LOGIN_COLORS)
    def login(self, mechanic: Mechanic) -> str | None:
        return login_status(mechanic.user)

    @badge_column(
        "State", {"Active": "success", "Left": "default"}, ordering="is_active"
    )
    def employment_status(self, mechanic: Mechanic) -> str:
        return "Active" if mechanic.is_active else "Left"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Mechanic]:
        mechanics: QuerySet[Mechanic] = (
            super().get_queryset(request).with_ticket_count()
        )
        return mechanics

    def get_readonly_fields(
        self, request: HttpRequest, obj: Mechanic | None = None
    ) -> tuple[str, ...]:
        """Let only owners link a login by hand: it decides whose minutes are logged."""
        if request.user.is_superuser:
            return self.readonly_fields
        return (*self.readonly_fields, "user")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Also require the permission to see salaries: a new mechanic needs one."""
        allowed: bool = super().has_add_permission(request)
        return allowed and request.user.has_perm("mechanics.view_salary")

    def delete_model(self, request: HttpRequest, obj: Mechanic) -> None:
        services.delete_mechanic(mechanic=obj)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Offer the buttons that the mechanic's present state allows."""
        offered = super().get_actions_detail(request, object_id)
        mechanic = self.get_object(request, str(object_id))
        if mechanic is None:
            return []
        available = {
            "give_login": mechanic.is_active and mechanic.user_id is None,
            "deactivate": mechanic.is_active,
            "reactivate": not mechanic.is_active,
        }
        return [button for button in offered if available.get(button.path, True)]

    @dialog(
        "Give a login",
        icon="key",
        permission="give_login",
        title="Give this mechanic a login",
        text="A link that sets the password goes to the mechanic's email address.",
        submit="Send",
        form=GiveLoginForm,
    )
    def give_login(
        self, request: HttpRequest, form: GiveLoginForm, object_id: str
    ) -> HttpResponse:
        def give(mechanic: Mechanic) -> str:
            found = User.objects.filter(email=mechanic.email).first()
            before = read_permissions(found) if found else {}
            group = form.cleaned_data["group"]
            user = services.create_staff_login(
                mechanic=mechanic, group=group, by=user_of(request)
            )
            log_permission_change(request, user, user.pk, before)
            return f"{mechanic} is a {group.name} now. A link went to {user.email}."

        return self.run_service(request, object_id, give)

    def has_give_login_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        permissions = (
            "mechanics.change_mechanic",
            "accounts.add_user",
            "accounts.change_user",
        )
        return user_of(request).has_perms(permissions)

    @dialog(
        "Deactivate",
        icon="person_off",
        permission="change",
        title="Deactivate this mechanic?",
        text="They get no more work, their login closes and its sessions end. What they"
        " did stays on the tickets.",
        submit="Deactivate",
    )
    def deactivate(self, request: HttpRequest, form: Any, object_id: str) -> Any:
        set_active = self.with_permission_log(request, services.deactivate_mechanic)
        return self.run_service(
            request, object_id, lambda row: f"{set_active(row)} is deactivated."
        )

    @dialog(
        "Reactivate",
        icon="how_to_reg",
        permission="change",
        title="Reactivate this mechanic?",
        text="They can be given work, and their login opens again.",
        submit="Reactivate",
    )
    def reactivate(self, request: HttpRequest, form: Any, object_id: str) -> Any:
        return self.run_service(
            request, object_id, lambda row: self.reactivate_row(request, row)
        )

    def reactivate_row(self, request: HttpRequest, mechanic: Mechanic) -> str:
        set_active = self.with_permission_log(request, services.reactivate_mechanic)
        return f"{set_active(mechanic)} is active again."

    @confirmed_action(
        "Deactivate selected mechanics",
        permission="change",
        title="Deactivate these mechanics?",
        text="They get no more work, their logins close and the sessions end. What they"
        " did stays on the tickets.",
        submit="Deactivate",
    )
    def deactivate_selected(
        self, request: HttpRequest, queryset: QuerySet[Mechanic]
    ) -> None:
        set_active = self.with_permission_log(request, services.deactivate_mechanic)
        mechanics = list(queryset.filter(is_active=True).order_by("pk"))
        for mechanic in mechanics:
            self.log_change(
                request, mechanic, f"{set_active(mechanic)} is deactivated."
            )
        message = f"{len(mechanics)} deactivated."
        self.message_user(request, message, messages.SUCCESS)

    def with_permission_log(
        self, request: HttpRequest, service: Callable[..., Mechanic]
    ) -> Callable[[Mechanic], Mechanic]:
        """Wrap a service that changes a login, to log the change of its permissions."""

        def set_active(mechanic: Mechanic) -> Mechanic:
            user = mechanic.user
            before = read_permissions(user) if user else {}
            mechanic = service(mechanic=mechanic, by=user_of(request))
            if user is not None:
                log_permission_change(request, user, user.pk, before)
            return mechanic

        return set_active
