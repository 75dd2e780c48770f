"""Logins, groups and sessions in the back office."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Model, Q
from django.http import HttpRequest, HttpResponse
from unfold.forms import (
    AdminPasswordChangeForm,
    AuthenticationForm,
    UserChangeForm,
    UserCreationForm,
)
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from mechanic_shop.admin import ReadOnly, ShopModelAdmin
from mechanic_shop.api import security_log

from .models import Session, User
from .roles import ROLE_WORDS

PERSON = ("email", "first_name", "last_name")
#: What only a superuser decides.
POWERS = ("is_superuser", "user_permissions")
#: What a login is allowed beside its groups and permissions.
FLAGS = ("is_active", "is_staff", "is_superuser")


class StaffLoginForm(AuthenticationForm):
    """The form at the door of the back office; it opens to staff only."""

    def confirm_login_allowed(self, user: Any) -> None:
        try:
            super().confirm_login_allowed(user)
        except ValidationError:
            # Django tells of wrong passwords; this one was right.
            security_log.record("login_failed", user_id=user.pk)
            raise


admin.site.login_form = StaffLoginForm


class NewUserForm(UserCreationForm):
    class Meta:
        model = User
        fields = PERSON


class UserForm(UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"


class TellsRights:
    """Write every change of rights into the security log."""

    def save_model(
        self, request: HttpRequest, obj: Model, form: Any, change: bool
    ) -> None:
        form.rights_before = rights_of(obj)
        super().save_model(request, obj, form, change)  # type: ignore[misc]

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)  # type: ignore[misc]
        tell_of_rights(request, form.instance, form.instance.pk, form.rights_before)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        pk, before = obj.pk, rights_of(obj)
        super().delete_model(request, obj)  # type: ignore[misc]
        tell_of_rights(request, obj, pk, before)


@admin.register(User)
class UserAdmin(TellsRights, ShopModelAdmin, BaseUserAdmin):
    form = UserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = (
        "email",
        "full_name",
        "roles",
        "is_staff",
        "is_superuser",
        "is_active",
        "last_login",
    )
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    search_fields = PERSON
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

    @admin.display(description="Name", ordering="last_name")
    def full_name(self, user: User) -> str:
        return user.full_name

    @admin.display(description="Groups")
    def roles(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all())

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Show powers and the password only to superusers."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or request.user.is_superuser:
            return fieldsets
        rights = {"fields": ("is_active", "is_staff", "groups")}
        person = {"fields": ("email", ("first_name", "last_name"))}
        return [(None, person), ("Rights", rights), *fieldsets[2:]]

    def get_readonly_fields(
        self, request: HttpRequest, obj: User | None = None
    ) -> tuple[str, ...]:
        """A customer's name and address are changed on the customer, for both."""
        if obj is not None and hasattr(obj, "customer"):
            return (*self.readonly_fields, *PERSON)
        return self.readonly_fields

    def get_form(
        self,
        request: HttpRequest,
        obj: User | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        if obj is not None and "groups" in form.base_fields:
            form.base_fields["groups"].queryset = groups_to_give(request, obj)
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
        return super().has_change_permission(request, obj) and may_touch(request, obj)

    def has_delete_permission(
        self, request: HttpRequest, obj: User | None = None
    ) -> bool:
        return super().has_delete_permission(request, obj) and may_touch(request, obj)

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002
        form_url: str = "",
    ) -> HttpResponse:
        if not request.user.is_superuser:
            raise PermissionDenied
        answer: HttpResponse = super().user_change_password(request, id, form_url)
        return answer

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Tell the security log of a new password too; it is set at this point."""
        if isinstance(form, self.change_password_form):
            security_log.record(
                "password_changed", user_id=form.user.pk, by_id=request.user.pk
            )
        return super().construct_change_message(request, form, formsets, add)


def rights_of(holder: Model) -> dict[str, Any]:
    """Read from the database what a user or a group may do; a stranger may nothing."""
    row: Any = type(holder)._default_manager.filter(pk=holder.pk).first()
    if row is None:
        return {}
    if isinstance(row, Group):
        return {"permissions": _names_of(row.permissions)}
    return {
        **{flag: getattr(row, flag) for flag in FLAGS},
        "groups": sorted(row.groups.values_list("name", flat=True)),
        "user_permissions": _names_of(row.user_permissions),
    }


def _names_of(permissions: Any) -> list[str]:
    pairs = permissions.values_list("content_type__app_label", "codename")
    return sorted(f"{app}.{codename}" for app, codename in pairs)


def tell_of_rights(
    request: HttpRequest, holder: Model, pk: int, before: dict[str, Any]
) -> None:
    """Write what changed of the rights into the security log, once it is committed."""
    after = rights_of(holder) or dict.fromkeys(before)
    changed = [right for right in after if before.get(right) != after[right]]
    if not changed:
        return
    transaction.on_commit(
        partial(
            security_log.record,
            "roles_changed",
            **{"group_id" if isinstance(holder, Group) else "user_id": pk},
            by_id=request.user.pk,
            before={right: before.get(right) for right in changed},
            after={right: after[right] for right in changed},
        )
    )


def may_touch(request: HttpRequest, user: User | None) -> bool:
    """Tell whether an account is out of reach: a superuser's is, to all others."""
    return request.user.is_superuser or user is None or not user.is_superuser


def groups_to_give(request: HttpRequest, user: User) -> Any:
    """Offer the three roles; a superuser any group, and nobody loses one unseen."""
    if request.user.is_superuser:
        return Group.objects.all()
    roles = Q(name__in=[name for name, _ in ROLE_WORDS])
    return Group.objects.filter(roles | Q(pk__in=user.groups.all()))


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(TellsRights, ShopModelAdmin, BaseGroupAdmin):
    list_display = ("name",)


@admin.register(Session)
class SessionAdmin(ReadOnly, ShopModelAdmin):
    list_display = ("user", "created_at", "refreshed_at", "revoked_at")
    list_filter = ("created_at", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("user",)
    search_fields = ("user__email",)
    date_hierarchy = "created_at"
    ordering = ("-pk",)
    # Not the token's id and the password's fingerprint: nobody needs to read them.
    fields = ("user", "created_at", "refreshed_at", "revoked_at")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        secrets = ("refresh_jti", "auth_hash")
        return not lookup.startswith(secrets) and super().lookup_allowed(
            lookup, value, request
        )
