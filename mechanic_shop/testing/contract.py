"""The contract that every resource of the API keeps."""

from __future__ import annotations

import pytest

from .bodies import BodyContract
from .edits import EditContract
from .paths import PathContract
from .permissions import PermissionContract
from .queries import QueryContract
from .retries import RetryContract


@pytest.mark.django_db
class ResourceContract(
    PermissionContract,
    BodyContract,
    EditContract,
    RetryContract,
    QueryContract,
    PathContract,
):
    """Inherit this, state the facts, and every test of the contract runs on them.

    A subclass ``Test…Contract`` in an app's ``tests/test_contract.py`` has one for each
    view set; ``ContractFacts`` lists what can be stated.
    """
