"""Import of parts from spreadsheets."""
