"""For those who run the shop: what it logs, what it keeps, how it is saved."""
