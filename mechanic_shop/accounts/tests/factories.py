from __future__ import annotations

from typing import Any

import factory
from django.contrib.auth.hashers import make_password
from factory.django import DjangoModelFactory

from mechanic_shop.accounts.models import User

PASSWORD = "correct-horse-battery"


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    class Params:
        superuser = factory.Trait(is_staff=True, is_superuser=True)

    email = factory.Sequence(lambda n: f"person{n}@example.com")
    first_name = "Pat"
    last_name = factory.Sequence(lambda n: f"Person{n}")
    password = factory.LazyFunction(lambda: make_password(PASSWORD))

    @classmethod
    def create(cls, **kwargs: Any) -> User:
        user: User = super().create(**kwargs)
        return user


def user_in(group: str, **kwargs: Any) -> User:
    """Create a staff login in one of the shop's groups."""
    from django.contrib.auth.models import Group

    user = UserFactory.create(is_staff=True, **kwargs)
    user.groups.add(Group.objects.get(name=group))
    return user
