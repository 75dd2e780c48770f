"""How fast the shop answers, beside four others who answer the same."""
