from __future__ import annotations

from mechanic_shop.testing.contract import ResourceContract
from mechanics.tests.factories import MechanicFactory

NOT_PUBLIC = "email phone salary created_at updated_at"


class TestMechanicContract(ResourceContract):
    """Everybody may see who works here; only managers hire, and see what they earn."""

    path = "/mechanics"
    access = """
    own other tech adv mgr staff
    200 200   200  200 200 200      GET    /
    200 200   200  200 200 200      GET    /by-activity
    200 200   200  200 200 200      GET    /top
    200 200   200  200 200 200      GET    /leaderboard
    200 200   200  200 200 200      GET    /{mechanic}
    403 403   403  403 201 403      POST   /
    403 403   403  403 200 403      PUT    /{mechanic}
    403 403   403  403 200 403      PATCH  /{mechanic}
    403 403   403  403 200 403      PATCH  /{mechanic}  salary
    403 403   403  403 204 403      DELETE /{mechanic}
    """
    factory = MechanicFactory
    create_body = {
        "full_name": "Bo Wrench",
        "email": "bo@shop.example",
        "phone": "555-0302",
        "salary": 50_000,
    }
    change_body = {"phone": "555-0303"}
    bodies = {"salary": {"salary": 70_000}}
    fields = "full_name email phone salary is_active"
    ignored_fields = "ticket_count"
    read_only_fields = "mechanic_id created_at updated_at"
    hidden_fields = {
        **dict.fromkeys(("own", "other", "staff"), NOT_PUBLIC),
        **dict.fromkeys(("tech", "adv"), "salary"),
    }
    unpaginated = ("GET /", "GET /by-activity", "GET /top", "GET /leaderboard")
    limits = {"POST /": "CREATE_MECHANIC"}
    permissions = {
        "GET /{mechanic}": "",  # open to all who are signed in
        "PATCH /{mechanic} salary": "mechanics.view_salary",
    }
