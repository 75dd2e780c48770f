"""Shared base classes and tools for the admin pages of all apps.

The services decide what is allowed. This package shows their errors as messages, rolls
back what a failed request began, and hides fields by permission.
"""

from .decorators import badge_column, dialog
from .double_submit import new_token
from .error_messages import REJECTIONS, message_for, user_of
from .field_permissions import FieldPermissionsMixin, remove_fields
from .forms import ShopInlineFormSet, changed_values, copy_state, preload_selects
from .hints import give_hints
from .model_admin import Badge, ReadOnlyInline, ShopInline, ShopModelAdmin
from .read_only import ReadOnlyAdminMixin
from .rejected_forms import Offer, saving_row
from .typed_fields import CentsField, DecimalNumberField, WholeNumberField

__all__ = [
    "REJECTIONS",
    "Badge",
    "CentsField",
    "DecimalNumberField",
    "FieldPermissionsMixin",
    "Offer",
    "ReadOnlyAdminMixin",
    "ReadOnlyInline",
    "ShopInline",
    "ShopInlineFormSet",
    "ShopModelAdmin",
    "WholeNumberField",
    "badge_column",
    "changed_values",
    "copy_state",
    "dialog",
    "give_hints",
    "message_for",
    "new_token",
    "preload_selects",
    "remove_fields",
    "saving_row",
    "user_of",
]
