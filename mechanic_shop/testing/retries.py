"""A request with an ``Idempotency-Key`` can be sent again and takes effect once."""

from __future__ import annotations

from .access import Rule
from .database_state import read_state
from .facts import ContractFacts, for_each
from .garage import Garage

REPLAYED = "Idempotency-Replayed"


class RetryContract(ContractFacts):
    @classmethod
    def with_keys(cls) -> list[Rule]:
        return cls._posts_and_patches() if cls.takes_keys else []

    @classmethod
    def without_keys(cls) -> list[Rule]:
        return [] if cls.takes_keys else cls._posts_and_patches()

    @classmethod
    def _posts_and_patches(cls) -> list[Rule]:
        return [rule for rule in cls.operations() if rule.method in {"POST", "PATCH"}]

    @for_each("with_keys")
    def test_two_requests_with_one_key_have_one_effect(
        self, garage: Garage, rule: Rule
    ) -> None:
        caller = self.strongest_caller(rule)
        before = read_state()

        first = garage.send(caller, rule, HTTP_IDEMPOTENCY_KEY="k")
        after = read_state()
        second = garage.send(caller, rule, HTTP_IDEMPOTENCY_KEY="k")

        assert first.status_code == rule.statuses[caller], first.json()
        assert before != after == read_state()
        assert (first.get(REPLAYED), second.get(REPLAYED)) == (None, "true")
        assert second.status_code == first.status_code
        assert second.content == first.content
        assert second.get("ETag") == first.get("ETag")

    @for_each("with_keys")
    def test_key_used_with_another_body_is_a_422(
        self, garage: Garage, rule: Rule
    ) -> None:
        caller = self.strongest_caller(rule)
        garage.send(caller, rule, HTTP_IDEMPOTENCY_KEY="k")
        before = read_state()

        other = {**garage.body(rule), "surprise": 1}
        answer = garage.send(caller, rule, other, HTTP_IDEMPOTENCY_KEY="k")

        assert answer.status_code == 422
        assert answer.json()["code"] == "idempotency_key_reused"
        assert read_state() == before

    @for_each("with_keys")
    def test_refused_request_frees_its_key(self, garage: Garage, rule: Rule) -> None:
        caller = self.strongest_caller(rule)

        refused = garage.send(caller, rule, {"surprise": 1}, HTTP_IDEMPOTENCY_KEY="k")
        answer = garage.send(caller, rule, HTTP_IDEMPOTENCY_KEY="k")

        assert refused.status_code == 400
        assert answer.status_code == rule.statuses[caller]
        assert REPLAYED not in answer

    @for_each("without_keys")
    def test_key_is_ignored(self, garage: Garage, rule: Rule) -> None:
        caller = self.weakest_caller(rule)

        answers = [
            garage.send(caller, rule, body, HTTP_IDEMPOTENCY_KEY="k")
            for body in (None, {"surprise": 1})
        ]

        assert answers[0].status_code == rule.statuses[caller]
        assert answers[1].status_code in {400, 401}
        assert not any(REPLAYED in answer for answer in answers)
