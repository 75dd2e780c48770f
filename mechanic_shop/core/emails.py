"""One spelling for every email address that is stored or compared."""

from unicodedata import normalize

from django.core.exceptions import ValidationError

#: Longer than any address that can be stored.
LONGEST_TYPED = 320


def normalize_email(email: str) -> str:
    """Trim and lower-case an address, so that a plain unique column is enough."""
    return email.strip().lower()


def login_key(typed: str) -> str:
    """Reduce what was typed as a login to the address that it may be taken for.

    Collations of MySQL take ``é`` for ``e``, and Django's login form takes ``ｅ`` for
    it. Tries are counted by this key, so that no spelling has tries of its own.
    """
    plain = normalize("NFKD", typed.strip()[:LONGEST_TYPED])
    return normalize_email(plain.encode("ascii", "ignore").decode())


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
