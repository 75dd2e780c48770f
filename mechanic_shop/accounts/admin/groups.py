"""Admin pages of groups, which hold the permissions of their members."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.models import Group, Permission
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from mechanic_shop.admin import ShopModelAdmin
from mechanic_shop.admin.export import ExportMixin
from mechanic_shop.admin.sidebar import link_to_list
from mechanic_shop.core.app_config import Role

from .permission_audit import PermissionAuditMixin

admin.site.unregister(Group)


def describe_permission(permission: Permission) -> str:
    """Name the app and what is allowed, without the name of the model's class."""
    app = apps.get_app_config(permission.content_type.app_label).verbose_name
    return f"{app}: {permission.name.removeprefix('Can ')}"


class HasUsersFilter(admin.SimpleListFilter):
    title = "people"
    parameter_name = "people"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("some", "With people"), ("none", "Empty")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "some":
                return queryset.filter(people_count__gt=0)
            case "none":
                return queryset.filter(people_count=0)
        return queryset


link_to_list(Group, section="Access", icon="group", order=91)


@admin.register(Group)
class GroupAdmin(ExportMixin, PermissionAuditMixin, ShopModelAdmin, BaseGroupAdmin):
    empty_message = "Groups say what the people in them may do."
    list_display = ("name", "people", "permission_count")
    list_filter = (HasUsersFilter,)

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest | None = None, **kwargs: Any
    ) -> Any:
        field: Any = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None and db_field.name == "permissions":
            field.label_from_instance = describe_permission
        return field

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep the three roles, which the next update would only make again."""
        if obj is not None and obj.name in set(Role):
            return False
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed

    @admin.display(description="People", ordering="people_count")
    def people(self, group: Any) -> int:
        return group.people_count  # type: ignore[no-any-return]

    @admin.display(description="Permissions", ordering="permission_count")
    def permission_count(self, group: Any) -> int:
        return group.permission_count  # type: ignore[no-any-return]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        groups: QuerySet[Group] = super().get_queryset(request)
        return groups.annotate(
            people_count=Count("user", distinct=True),
            permission_count=Count("permissions", distinct=True),
        )
