"""OpenAPI descriptions and examples of logins, customers and vehicles."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view

from mechanic_shop.accounts.schema import ACCESS_TOKEN, REFRESH_TOKEN
from mechanic_shop.accounts.serializers import LoginSerializer
from mechanic_shop.api.schema.examples import (
    THEN,
    request_example,
    set_response_example,
)
from mechanic_shop.api.schema.responses import conflict, failure

from .serializers import (
    BriefCustomerSerializer,
    CustomerSerializer,
    MeResponseSerializer,
    RegisterSerializer,
    ShopVehicleSerializer,
    SignedInSerializer,
    SystemBSignedInSerializer,
    VehicleSerializer,
)

CUSTOMER = {
    "customer_id": 1,
    "first_name": "Ada",
    "last_name": "Quill",
    "email": "ada.1@example.com",
    "phone": "555-0100",
    "address": "",
    "city": "",
    "state": "",
    "postal_code": "",
    "created_at": THEN,
    "updated_at": THEN,
}
BRIEF_CUSTOMER = {name: CUSTOMER[name] for name in BriefCustomerSerializer.Meta.fields}
USER = {
    "user_id": 1,
    "email": "ada.1@example.com",
    "first_name": "Ada",
    "last_name": "Quill",
    "role": "customer",
    "is_staff": False,
}
VEHICLE = {
    "vehicle_id": 1,
    "customer_id": 1,
    "vin": "1HGCM82633A004352",
    "make": "Honda",
    "model": "Civic",
    "year": 2019,
    "color": "Blue",
    "license_plate": "R1",
    "mileage": 41_200,
    "vin_check": "valid",
    "created_at": THEN,
    "updated_at": THEN,
}
SIGNED_IN = {
    "message": "Signed in.",
    "access_token": ACCESS_TOKEN,
    "refresh_token": REFRESH_TOKEN,
    "customer": CUSTOMER,
    "user": USER,
}

set_response_example(CustomerSerializer, CUSTOMER)
set_response_example(VehicleSerializer, VEHICLE)
set_response_example(ShopVehicleSerializer, VEHICLE)
set_response_example(SignedInSerializer, SIGNED_IN)
set_response_example(SystemBSignedInSerializer, {**SIGNED_IN, "token": ACCESS_TOKEN})
set_response_example(MeResponseSerializer, {**CUSTOMER, **USER, "mechanic_id": None})

WRONG_CREDENTIALS = failure(
    401,
    "The email address or the password is wrong; the response does not say which.",
    message="Email address or password is wrong.",
    code="wrong_credentials",
)
CREDENTIALS = request_example(email="admin@example.com", password="password123")
STAFF_LOGIN = "This is the login of staff; only they can change the email."
OPEN_TICKET = "This customer has an open service ticket."

register = extend_schema(
    operation_id="register",
    description="The address fields are optional. A taken email address is a 400, also"
    " when a customer without a login has it; that customer then gets a mail with a"
    " link that opens a login.",
    request=RegisterSerializer,
    responses={201: SignedInSerializer},
    examples=[
        request_example(
            first_name="Ada",
            last_name="Quill",
            email="ada.1@example.com",
            phone="555-0100",
            password="winding-road-1",
        )
    ],
)

login = extend_schema(
    description="`customer` is null for staff. Both tokens belong to one session, which"
    " lasts until it is signed out, its refresh token expires or is used twice, or the"
    " password changes.",
    request=LoginSerializer,
    responses={200: SignedInSerializer, 401: WRONG_CREDENTIALS},
    examples=[CREDENTIALS],
)

login_of_system_b = extend_schema(
    operation_id="login_customer",
    description="The same as `POST /api/auth/login`; `token` repeats the access token.",
    request=LoginSerializer,
    responses={200: SystemBSignedInSerializer, 401: WRONG_CREDENTIALS},
    examples=[CREDENTIALS],
)

me = extend_schema(
    operation_id="get_me",
    description="The login, and the fields of its customer where there is one."
    " `mechanic_id` links a technician to the mechanic on the tickets.",
    responses={200: MeResponseSerializer},
)

customers = extend_schema_view(
    list=extend_schema(
        description="Staff see everyone, customers themselves alone. By id unless"
        " `ordering` says otherwise."
    ),
    create=extend_schema(
        description="For staff; customers sign up with `POST /api/auth/register`. The"
        " email address is optional.",
        examples=[
            request_example(
                first_name="Bo", last_name="Marsh", phone="555-0103", city="Springfield"
            )
        ],
    ),
    retrieve=extend_schema(
        description="Their own record for customers, any for staff."
    ),
    update=extend_schema(
        description="The same as PATCH: what is left out keeps its value.",
        responses={200: CustomerSerializer, 409: conflict(staff_login=STAFF_LOGIN)},
        examples=[request_example(phone="555-0199", city="Springfield")],
    ),
    partial_update=extend_schema(
        description="A changed email address is also that of the login, and the old one"
        " is told. Customers confirm it with `current_password`.",
        responses={200: CustomerSerializer, 409: conflict(staff_login=STAFF_LOGIN)},
        examples=[request_example(phone="555-0199")],
    ),
    destroy=extend_schema(
        description="A customer without history is deleted. One with tickets is erased:"
        " name, contact, VINs and plates go, the tickets stay for the books. Login and"
        " sessions end.",
        responses={204: None, 409: conflict(in_use=OPEN_TICKET)},
    ),
)

VEHICLE_IN_USE = conflict(in_use="This vehicle has service tickets.")
NEW_VEHICLE = request_example(
    make="Honda", model="Civic", year=2019, color="Blue", license_plate="R1"
)

customer_vehicles = extend_schema_view(
    list=extend_schema(
        operation_id="list_customer_vehicles",
        summary="List a customer's vehicles",
        description="All of them, ordered by id, without pagination.",
        responses={200: VehicleSerializer(many=True)},
    ),
    create=extend_schema(
        operation_id="create_customer_vehicle",
        summary="Add a vehicle of a customer",
        description="A VIN may be typed with spaces and dashes, in any case. Since 1981"
        " it has 17 characters; `vin_check` tells whether its check digit is right,"
        " which European makers do not use.",
        examples=[NEW_VEHICLE],
    ),
    retrieve=extend_schema(
        operation_id="get_customer_vehicle",
        summary="Show a customer's vehicle",
        description="A vehicle of somebody else is a 404.",
    ),
    update=extend_schema(
        operation_id="put_customer_vehicle",
        summary="Update a customer's vehicle by PUT",
        description="The same as PATCH: what is left out keeps its value.",
        examples=[request_example(mileage=42_000, color="Dark blue")],
    ),
    partial_update=extend_schema(
        operation_id="update_customer_vehicle",
        summary="Update a customer's vehicle",
        description="The owner cannot be changed here; see"
        " `PATCH /api/vehicles/{vehicle_id}`.",
        examples=[request_example(mileage=42_000)],
    ),
    destroy=extend_schema(
        operation_id="delete_customer_vehicle",
        summary="Delete a customer's vehicle",
        description="One with service tickets stays.",
        responses={204: None, 409: VEHICLE_IN_USE},
    ),
)

vehicles = extend_schema_view(
    list=extend_schema(
        description="Staff see all vehicles, customers their own. By id; `vin` takes"
        " the last characters as people read them out."
    ),
    retrieve=extend_schema(description="The same as below its customer."),
    partial_update=extend_schema(
        description="Staff may give it another owner with `customer_id`; its old"
        " tickets keep their customer.",
        responses={
            200: ShopVehicleSerializer,
            409: conflict(
                in_use="This vehicle has an open service ticket.",
                owner_changed="The new owner is no longer a customer.",
            ),
        },
        examples=[request_example(customer_id=2)],
    ),
)
