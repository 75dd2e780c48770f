"""What all forms share that ask for a password."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.validators import MaxLengthValidator

PASSWORD_MAX_LENGTH = 128


class BoundedPasswordMixin:
    """Reject a password that nobody can have, before it is hashed.

    The field has no ``maxlength``: a browser would cut off what is pasted, and say
    nothing.
    """

    bounded_field: ClassVar[str] = "password"
    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        too_long = MaxLengthValidator(PASSWORD_MAX_LENGTH)
        self.fields[self.bounded_field].validators.append(too_long)
