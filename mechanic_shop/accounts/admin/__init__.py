"""Logins, groups and sessions in the back office."""

from .door import StaffLoginForm
from .groups import GroupAdmin
from .rights import rights_of, shop_roles, tell_of_rights
from .sessions import SessionAdmin
from .users import LOGIN_COLORS, UserAdmin, state_of_login

__all__ = [
    "LOGIN_COLORS",
    "GroupAdmin",
    "SessionAdmin",
    "StaffLoginForm",
    "UserAdmin",
    "rights_of",
    "shop_roles",
    "state_of_login",
    "tell_of_rights",
]
