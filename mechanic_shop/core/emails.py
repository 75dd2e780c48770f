"""One spelling for every email address that is stored or compared."""

from django.core.exceptions import ValidationError


def normalize_email(email: str) -> str:
    """Trim and lower-case an address, so that a plain unique column is enough."""
    return email.strip().lower()


def validate_ascii_email(email: str) -> None:
    """Accept ASCII addresses only.

    MySQL's collations call ``é`` and ``e`` equal, so two such addresses would be one
    account there and two on SQLite. International domains have an ASCII form.

    :raises ValidationError: if the address is not ASCII
    """
    if not email.isascii():
        raise ValidationError(
            "Use the ASCII form of this email address (xn--… for the domain)."
        )
