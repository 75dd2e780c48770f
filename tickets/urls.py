from mechanic_shop.api.routers import ShopRouter

from .views import CustomerTicketViewSet, MyTicketViewSet, ServiceTicketViewSet

router = ShopRouter()
# Both systems' clients write service_tickets; both spellings are served.
router.register("service[-_]tickets", ServiceTicketViewSet)
router.register("customers/my-tickets", MyTicketViewSet, basename="my-ticket")
router.register(
    "customers/(?P<customer_id>[0-9]+)/service[-_]tickets",
    CustomerTicketViewSet,
    basename="customer-ticket",
)
