from mechanic_shop.core.app_config import ALL_PERMISSIONS, Role, ShopAppConfig


class TicketsConfig(ShopAppConfig):
    name = "tickets"
    api_tags = {
        "service-tickets": "Work on a vehicle: status, mechanics, parts and timeline.",
    }
    api_enums = {
        "TicketStatus": "tickets.models.TicketStatus",
        "TicketEventKind": "tickets.models.TicketEventKind",
    }
    role_permissions = {
        Role.TECHNICIAN: (
            "view_serviceticket",
            "view_ticketmechanic",
            "view_ticketpart",
            "view_ticketevent",
            "work_ticket",
            "log_minutes",
            "install_part",
            "remove_part",
            "add_note",
        ),
        Role.SERVICE_ADVISOR: (
            "add_serviceticket",
            "change_serviceticket",
            "assign_mechanic",
            "cancel_ticket",
            "reopen_ticket",
            "change_ticketmechanic",
            "view_margin",
        ),
        Role.MANAGER: ALL_PERMISSIONS,
    }
    own_row_permissions = (
        "view_serviceticket",
        "add_serviceticket",
        "view_ticketevent",
    )
    throttles = {"CREATE_TICKET": "10/hour"}

    def ready(self) -> None:
        from . import receivers  # noqa: F401  (connects them)
