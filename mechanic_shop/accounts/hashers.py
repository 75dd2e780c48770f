from django.contrib.auth.hashers import Argon2PasswordHasher


class ShopArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2id with the parameters of OWASP's password storage cheat sheet.

    Django's defaults take 100 MiB for every login in flight; 19 MiB and two passes are
    the recommended equivalent of a server that also has other work to do.
    """

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1
