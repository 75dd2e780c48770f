"""What every page of the back office shares.

The services decide what may happen. This module sees to it that what they refuse is
told in words, that nothing half done stays behind, and that nobody is shown a field
they may not see.
"""

from .decorators import colored, dialog
from .double_submit import fresh_key
from .error_messages import REFUSALS, sentence_of, user_of
from .field_permissions import GuardedFields, without
from .forms import CentsField, become, changes_of, know_rows
from .model_admin import Badge, ReadOnlyInline, ShopInline, ShopModelAdmin
from .read_only import ReadOnly

__all__ = [
    "REFUSALS",
    "Badge",
    "CentsField",
    "GuardedFields",
    "ReadOnly",
    "ReadOnlyInline",
    "ShopInline",
    "ShopModelAdmin",
    "become",
    "changes_of",
    "colored",
    "dialog",
    "fresh_key",
    "know_rows",
    "sentence_of",
    "user_of",
    "without",
]
