from mechanic_shop.core.app_config import ShopAppConfig


class SpreadsheetsConfig(ShopAppConfig):
    name = "mechanic_shop.spreadsheets"
    label = "spreadsheets"
    verbose_name = "Spreadsheets"
    retention = {
        "uploaded spreadsheets": "mechanic_shop.spreadsheets.retention.expired_uploads",
    }
