"""Import of customers and of vehicles from spreadsheets."""
