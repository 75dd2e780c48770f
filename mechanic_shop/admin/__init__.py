"""What every page of the back office shares.

The services decide what may happen. This module sees to it that what they refuse is
told in words, that nothing half done stays behind, and that nobody is shown a field
they may not see.
"""

from .buttons import colored, dialog
from .forms import CentsField, become, changes_of, know_rows
from .guarded import GuardedFields, without
from .once import fresh_key
from .pages import Badge, ReadOnlyInline, ShopInline, ShopModelAdmin
from .read_only import ReadOnly
from .words import REFUSALS, sentence_of, user_of

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
