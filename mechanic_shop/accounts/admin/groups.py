"""Admin pages of groups, which hold the permissions of their members."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.models import Group
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from mechanic_shop.admin import ShopModelAdmin
from mechanic_shop.admin.export import ExportMixin
from mechanic_shop.admin.sidebar import link_to_list

from .permission_audit import PermissionAuditMixin

admin.site.unregister(Group)


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
