"""Who gets what, and how often."""

from __future__ import annotations

from typing import Any

from django.conf import LazySettings

from mechanic_shop.accounts.models import User

from .access import MISSING, Rule
from .facts import ContractFacts, for_each
from .garage import Garage

#: Those whose permissions come from a group, or who have none.
STAFF = ("tech", "adv", "mgr", "staff")
LONG = 10**9


class PermissionContract(ContractFacts):
    @for_each("scenes")
    def test_each_caller_gets_what_the_table_says(
        self, garage: Garage, rule: Rule
    ) -> None:
        replaced = self._replaced(rule, garage)

        statuses = {
            caller: garage.attempt(caller, rule, replaced=replaced)
            for caller in rule.statuses
        }

        assert statuses == rule.statuses

    def _replaced(self, rule: Rule, garage: Garage) -> dict[str, Any]:
        if not rule.replaced:
            return {}
        is_missing = rule.where.endswith("missing")
        return {rule.replaced: MISSING if is_missing else garage.other[rule.replaced]}

    @classmethod
    def lists_of_rows(cls) -> list[Rule]:
        paths = {detail.path.rpartition("/")[0] for detail in cls.details()}
        return [rule for rule in cls.lists() if rule.path in paths]

    @for_each("lists_of_rows")
    def test_list_holds_only_rows_the_caller_may_see(
        self, garage: Garage, rule: Rule
    ) -> None:
        [detail] = [row for row in self.details() if row.path.startswith(rule.path)]
        word = detail.path_words[-1]
        for caller, status in rule.statuses.items():
            if status == 200:
                found = self._ids_in(
                    garage.send(caller, rule, path=self._all(garage, rule))
                )
                expected = {
                    pk
                    for pk in (garage.own[word], garage.other[word])
                    if garage.attempt(caller, detail, replaced={word: pk}) == 200
                }
                assert found & {garage.own[word], garage.other[word]} == expected, (
                    caller
                )

    @staticmethod
    def _all(garage: Garage, rule: Rule) -> str:
        return f"{garage.path(rule)}?per_page=100"

    @staticmethod
    def _ids_in(response: Any) -> set[int]:
        return {next(iter(row.values())) for row in rows_in(response.json())}

    @classmethod
    def rules_with_permission(cls) -> list[Rule]:
        return [rule for rule in cls.rules if cls.permission_of(rule)]

    @classmethod
    def permission_of(cls, rule: Rule) -> str | None:
        """Name the permission behind a line: the model's own, or the one stated."""
        line = f"{cls.short(rule)} {rule.body_name}".strip()
        if line in cls.permissions:
            return cls.permissions[line] or None
        if cls.factory is None or rule.body_name:
            return None
        verb = {"POST /": "add"}.get(cls.short(rule))
        if rule.is_row:
            verb = {"GET": "view", "PATCH": "change", "DELETE": "delete"}.get(
                rule.method
            )
        model = cls.factory._meta.model
        app, name = model._meta.app_label, model._meta.model_name
        return f"{app}.{verb}_{name}" if verb else None

    @for_each("rules_with_permission")
    def test_django_permission_opens_the_operation(
        self, garage: Garage, rule: Rule
    ) -> None:
        permission = self.permission_of(rule)
        assert permission

        has = {
            caller: User.objects.get(pk=garage.users[caller].pk).has_perm(permission)
            for caller in STAFF
        }

        assert has == {caller: rule.statuses[caller] != 403 for caller in STAFF}

    @classmethod
    def limited(cls) -> list[Rule]:
        return [rule for rule in cls.operations() if cls.short(rule) in cls.limits]

    @for_each("limited")
    def test_limit_lets_exactly_so_many_pass(
        self, garage: Garage, rule: Rule, settings: LazySettings
    ) -> None:
        limit = {self.limits[self.short(rule)]: (3, LONG)}
        settings.THROTTLES = {**dict.fromkeys(settings.THROTTLES), **limit}
        caller = self.strongest_caller(rule)

        paths = self.spellings(garage.path(rule)) * 3
        answers = [
            garage.send(caller, rule, {"surprise": 1}, path=path) for path in paths[:5]
        ]

        assert [answer.status_code for answer in answers] == [400] * 3 + [429] * 2
        left = [answer["RateLimit-Remaining"] for answer in answers]
        assert left == ["2", "1", "0", "0", "0"]


def rows_in(body: Any) -> list[Any]:
    """Return a plain array, or the one in a paginated object."""
    if isinstance(body, dict) and "pagination" in body:
        (body,) = (value for key, value in body.items() if key != "pagination")
    return body if isinstance(body, list) else []
