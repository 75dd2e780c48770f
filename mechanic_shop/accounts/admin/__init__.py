"""Admin pages of logins, groups and sessions."""

from .groups import GroupAdmin
from .login_form import StaffLoginForm
from .own_password import change_own_password
from .permission_audit import log_permission_change, read_permissions
from .sessions import SessionAdmin
from .users import LOGIN_COLORS, UserAdmin, login_status

__all__ = [
    "LOGIN_COLORS",
    "GroupAdmin",
    "SessionAdmin",
    "StaffLoginForm",
    "UserAdmin",
    "change_own_password",
    "log_permission_change",
    "login_status",
    "read_permissions",
]
