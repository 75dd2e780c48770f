"""What stops a start is said in one line, not below forty of traceback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ImproperlyConfigured
from django.core.management import ManagementUtility

#: MySQL's numbers for a server, name, user or password that is wrong, or a server that
#: is away; SQLite has words for it. Anything else that goes wrong later is a fault.
UNREACHABLE = frozenset({1044, 1045, 1049, 1130, 1698, 2002, 2003, 2005})
NO_FILE = "unable to open database file"
ADVICE = "Check the environment variable DATABASE_URL"


@contextmanager
def plain_errors(utility: ManagementUtility) -> Iterator[None]:
    """End the process with one line where a setting is wrong or no database answers."""
    try:
        yield
    except ImproperlyConfigured as error:
        # Django goes on without settings, and stumbles over what they would have said.
        first = utility.settings_exception or error
        sys.exit(_driver_is_missing(error) or str(first))
    except Exception as error:
        if reason := why_no_database(error):
            sys.exit(f"The database cannot be used: {reason}. {ADVICE}")
        raise


def why_no_database(error: Exception) -> str:
    """Return what the database or its driver says; empty if it did answer."""
    from django.db import OperationalError

    if not isinstance(error, OperationalError):
        return ""
    number, text = (*error.args, "", "")[:2]
    if number in UNREACHABLE:
        return str(text)
    return NO_FILE if NO_FILE in str(number) else ""


def _driver_is_missing(error: ImproperlyConfigured) -> str:
    if "MySQLdb" not in str(error):
        return ""
    return f"The MySQL driver is missing: make setup-mysql. {ADVICE}"
