"""Logins, groups and sessions in the back office."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from mechanic_shop.admin import ReadOnly, ShopModelAdmin

from .models import Session, User
from .roles import ROLE_WORDS

PERSON = ("email", "first_name", "last_name")
#: What only a superuser decides.
POWERS = ("is_superuser", "user_permissions")


class NewUserForm(UserCreationForm):
    class Meta:
        model = User
        fields = PERSON


class UserForm(UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"


@admin.register(User)
class UserAdmin(ShopModelAdmin, BaseUserAdmin):
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
class GroupAdmin(ShopModelAdmin, BaseGroupAdmin):
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
