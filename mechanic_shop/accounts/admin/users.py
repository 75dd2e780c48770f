"""Admin pages of logins."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.forms import (
    UserChangeForm,
    UserCreationForm,
)
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from mechanic_shop.admin import ShopModelAdmin, badge_column, dialog, user_of
from mechanic_shop.admin.confirmed_actions import confirmed_action
from mechanic_shop.admin.export import ExportMixin
from mechanic_shop.admin.sidebar import link_to_list
from mechanic_shop.core.errors import Conflict

from ..forms import UserPasswordForm
from ..models import User
from ..reach import assignable_groups, is_in_reach
from ..services import report_new_email, save_password, send_set_password_link
from .permission_audit import (
    LOGIN_FLAGS,
    PermissionAuditMixin,
    log_permission_change,
    read_permissions,
)

PERSON_FIELDS = ("email", "first_name", "last_name")
#: Fields that only superusers may change.
SUPERUSER_FIELDS = ("is_superuser", "user_permissions")

LOGIN_COLORS = {"Active": "success", "Invited": "info", "Closed": "danger"}


class OwnLogin(Conflict):
    """A user tried to deactivate their own login."""

    code = "own_login"


class NewUserForm(UserCreationForm):
    class Meta:
        model = User
        fields = PERSON_FIELDS


class UserForm(UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"


link_to_list(User, section="Access", icon="badge", order=90)


@admin.register(User)
class UserAdmin(ExportMixin, PermissionAuditMixin, ShopModelAdmin, BaseUserAdmin):
    form = UserForm
    add_form = NewUserForm
    change_password_form = UserPasswordForm
    empty_message = "Add a login for everybody who works with this system."
    list_display = (
        "email",
        "full_name",
        "roles",
        "back_office",
        "state",
        "last_login",
    )
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    search_fields = PERSON_FIELDS
    ordering = ("email",)
    readonly_fields = ("last_login", "created_at")
    filter_horizontal = ("user_permissions",)
    add_fieldsets = (
        (None, {"fields": ("email", ("first_name", "last_name"))}),
        ("Password", {"fields": ("usable_password", "password1", "password2")}),
    )
    fieldsets = (
        (None, {"fields": ("email", ("first_name", "last_name"), "password")}),
        (
            "Rights",
            {
                "fields": (
                    "is_active",
                    "is_staff",
                    "is_superuser",
                    "groups",
                    "user_permissions",
                )
            },
        ),
        ("Times", {"fields": (("last_login", "created_at"),)}),
    )
    actions = ("deactivate_selected",)
    actions_detail = ("mail_link", "deactivate", "reactivate")

    @admin.display(description="Name", ordering="last_name")
    def full_name(self, user: User) -> str:
        return user.full_name

    @admin.display(description="Groups")
    def roles(self, user: User) -> str:
        names = [group.name for group in user.groups.all()]
        return ", ".join(["Owner", *names] if user.is_superuser else names)

    @badge_column("Back office", {"Yes": "primary"}, ordering="is_staff")
    def back_office(self, user: User) -> str | None:
        return "Yes" if user.is_staff else None

    @badge_column("Login", LOGIN_COLORS, ordering="is_active")
    def state(self, user: User) -> str | None:
        return login_status(user)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Show the superuser fields and the password only to superusers."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or request.user.is_superuser:
            return fieldsets
        rights = {"fields": ("is_active", "is_staff", "groups")}
        person = {"fields": ("email", ("first_name", "last_name"))}
        return [(None, person), ("Rights", rights), *fieldsets[2:]]

    def get_readonly_fields(
        self, request: HttpRequest, obj: User | None = None
    ) -> tuple[str, ...]:
        """Keep people from locking themselves out.

        A customer's name and address are changed on the customer's page, for both rows.
        """
        fixed: tuple[str, ...] = LOGIN_FLAGS if obj == request.user else ()
        if obj is not None and hasattr(obj, "customer"):
            fixed += PERSON_FIELDS
        return (*self.readonly_fields, *fixed)

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        old_email = form.initial.get("email")
        if change and obj.email != old_email:
            report_new_email(user=obj, old_email=old_email, by=user_of(request))
            # The page of whoever changes the own address goes on.
            if obj == request.user:
                transaction.on_commit(partial(update_session_auth_hash, request, obj))

    def get_form(
        self,
        request: HttpRequest,
        obj: User | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        if obj is not None and "groups" in form.base_fields:
            groups = assignable_groups(by=user_of(request), user=obj)
            form.base_fields["groups"].queryset = groups
        return form

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "groups":
            kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget()
            kwargs["help_text"] = "What this person may do in the shop."
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def has_change_permission(
        self, request: HttpRequest, obj: User | None = None
    ) -> bool:
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and (obj is None or is_in_reach(by=user_of(request), user=obj))

    def has_delete_permission(
        self, request: HttpRequest, obj: User | None = None
    ) -> bool:
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and (obj is None or is_in_reach(by=user_of(request), user=obj))

    def is_in_reach(self, request: HttpRequest, user: User | None) -> bool:
        return user is None or is_in_reach(by=user_of(request), user=user)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Offer the buttons that the login's present state allows."""
        offered = super().get_actions_detail(request, object_id)
        user = self.get_object(request, str(object_id))
        if user is None or not self.has_change_permission(request, user):
            return []
        available = {
            "mail_link": user.is_active,
            "deactivate": user.is_active and user != request.user,
            "reactivate": not user.is_active,
        }
        return [button for button in offered if available.get(button.path, True)]

    @dialog(
        "Mail a password link",
        icon="forward_to_inbox",
        permission="activate",
        title="Mail a link that sets the password?",
        text="The old password works until the link was followed.",
        submit="Send",
    )
    def mail_link(self, request: HttpRequest, form: Any, object_id: str) -> Any:
        def send(user: User) -> str:
            self.check_can_edit(request, user)
            if not user.is_active:
                raise Conflict("This login is closed. Reactivate it first.")
            send_set_password_link(user=user)
            return f"A link is on its way to {user.email}."

        return self.run_service(request, object_id, send)

    @dialog(
        "Deactivate",
        icon="person_off",
        permission="activate",
        title="Deactivate this login?",
        text="It closes at once and every session ends. What the person did stays.",
        submit="Deactivate",
    )
    def deactivate(self, request: HttpRequest, form: Any, object_id: str) -> Any:
        def close(user: User) -> str:
            self.set_active(request, user, is_active=False)
            return f"{user} is deactivated."

        return self.run_service(request, object_id, close)

    @dialog(
        "Reactivate",
        icon="how_to_reg",
        permission="activate",
        title="Reactivate this login?",
        text="It opens again with the password and the groups it had.",
        submit="Reactivate",
    )
    def reactivate(self, request: HttpRequest, form: Any, object_id: str) -> Any:
        def open_again(user: User) -> str:
            self.set_active(request, user, is_active=True)
            return f"{user} is active again."

        return self.run_service(request, object_id, open_again)

    @confirmed_action(
        "Deactivate selected logins",
        permission="activate",
        title="Deactivate these logins?",
        text="They close at once and their sessions end. What the people did stays.",
        submit="Deactivate",
    )
    def deactivate_selected(
        self, request: HttpRequest, queryset: QuerySet[User]
    ) -> None:
        users = list(queryset.filter(is_active=True).order_by("pk"))
        for user in users:
            self.set_active(request, user, is_active=False)
            self.log_change(request, user, f"{user} is deactivated.")
        self.message_user(request, f"{len(users)} deactivated.", messages.SUCCESS)

    def has_activate_permission(
        self, request: HttpRequest, object_id: Any = None
    ) -> bool:
        return request.user.has_perm("accounts.change_user")

    def set_active(self, request: HttpRequest, user: User, *, is_active: bool) -> None:
        """Activate or deactivate a login; deactivating it ends its sessions.

        :raises OwnLogin: if it is the user's own login
        """
        self.check_can_edit(request, user)
        if user == request.user:
            raise OwnLogin("You cannot close your own login.")
        before = read_permissions(user)
        user.is_active = is_active
        user.save(update_fields=["is_active"])
        log_permission_change(request, user, user.pk, before)

    def check_can_edit(self, request: HttpRequest, user: User) -> None:
        if not self.has_change_permission(request, user):
            raise PermissionDenied

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002
        form_url: str = "",
    ) -> HttpResponse:
        if not request.user.is_superuser:
            raise PermissionDenied
        response: HttpResponse = super().user_change_password(request, id, form_url)
        return response

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Store a new password too; at this point it is set."""
        if isinstance(form, self.change_password_form):
            save_password(user=form.user, by_id=request.user.pk)
        return super().construct_change_message(request, form, formsets, add)


def login_status(user: User | None) -> str | None:
    """Return the state of a login: active, invited but never used, or closed."""
    if user is None:
        return None
    if not user.is_active:
        return "Closed"
    return "Active" if user.has_usable_password() else "Invited"
