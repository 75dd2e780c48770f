"""Logins, groups and sessions in the back office."""

from .groups import GroupAdmin
from .login_form import StaffLoginForm
from .permission_audit import rights_of, shop_roles, tell_of_rights
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
