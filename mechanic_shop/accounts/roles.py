"""The shop's three roles: groups with the permissions they start with."""

from typing import Any

from django.apps import AppConfig, apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from .models import User

TECHNICIAN = "Technician"
SERVICE_ADVISOR = "Service advisor"
MANAGER = "Manager"

#: The apps whose every permission a manager holds.
SHOP_APPS = ("customers", "mechanics", "inventory", "tickets")

VIEW_EVERYTHING = frozenset(
    {
        "customers.view_customer",
        "customers.view_vehicle",
        "mechanics.view_mechanic",
        "inventory.view_part",
        "inventory.view_stockmovement",
        "tickets.view_serviceticket",
        "tickets.view_ticketmechanic",
        "tickets.view_ticketpart",
        "tickets.view_ticketevent",
    }
)
WORK = frozenset(
    {
        "tickets.work_ticket",
        "tickets.log_minutes",
        "tickets.install_part",
        "tickets.remove_part",
        "tickets.add_note",
    }
)
COUNTER = frozenset(
    {
        "customers.add_customer",
        "customers.change_customer",
        "customers.add_vehicle",
        "customers.change_vehicle",
        "tickets.add_serviceticket",
        "tickets.change_serviceticket",
        "tickets.assign_mechanic",
        "tickets.cancel_ticket",
        "tickets.reopen_ticket",
        "tickets.change_ticketmechanic",
        "inventory.adjust_quantity",
    }
)

#: What a manager may do with logins; the admin keeps superusers out of reach.
LOGINS = frozenset({"accounts.view_user", "accounts.add_user", "accounts.change_user"})

#: What each role starts with, beside everything in ``SHOP_APPS`` for managers.
ROLES: dict[str, frozenset[str]] = {
    TECHNICIAN: VIEW_EVERYTHING | WORK,
    SERVICE_ADVISOR: VIEW_EVERYTHING | WORK | COUNTER,
    MANAGER: LOGINS,
}

#: Group names and the word for them in answers, the highest role first.
ROLE_WORDS = (
    (MANAGER, "manager"),
    (SERVICE_ADVISOR, "service_advisor"),
    (TECHNICIAN, "technician"),
)

#: What ``role`` may say; the last two are logins without one of the groups.
ROLES_IN_ANSWERS = (*(word for _, word in ROLE_WORDS), "staff", "customer")


def role_of(user: User) -> str:
    """Name the user's highest role, for display; rights are asked with ``has_perm``."""
    if user.is_superuser:
        return "manager"
    if user.rights == []:
        return "staff" if user.is_staff else "customer"
    if user.group_names is None:
        user.group_names = list(user.groups.values_list("name", flat=True))
    for group, word in ROLE_WORDS:
        if group in user.group_names:
            return word
    return "staff" if user.is_staff else "customer"


def is_staff_login(user: User) -> bool:
    """Tell whether a login opens more than a customer's own rows."""
    return (
        user.is_staff
        or user.is_superuser
        or user.groups.exists()
        or user.user_permissions.exists()
    )


def create_missing_groups(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """Make the groups that do not exist yet; leave alone what a shop has changed.

    Runs after ``migrate``. Django makes an app's permissions in that app's own turn,
    so those of later apps are asked for here first.
    """
    for config in apps.get_app_configs():
        create_permissions(config, using=using, verbosity=0)
    for name in ROLES:
        group, created = Group.objects.using(using).get_or_create(name=name)
        if created:
            group.permissions.set(_permissions_of(name, using))


def _permissions_of(name: str, using: str) -> list[Permission]:
    wanted = Q(content_type__app_label__in=SHOP_APPS) if name == MANAGER else Q()
    for label in ROLES[name]:
        app, codename = label.split(".")
        wanted |= Q(content_type__app_label=app, codename=codename)
    return list(Permission.objects.using(using).filter(wanted))
