"""The same people at the desk as in the other tests of the back office."""

from tests.back_office.conftest import boss, desk, ticket

__all__ = ["boss", "desk", "ticket"]
