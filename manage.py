#!/usr/bin/env python
"""Run Django's commands for this project."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mechanic_shop.settings.local")
    from django.core.management import ManagementUtility

    from mechanic_shop.startup import plain_errors

    utility = ManagementUtility(sys.argv)
    with plain_errors(utility):
        utility.execute()


if __name__ == "__main__":
    main()
