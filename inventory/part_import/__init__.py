"""Parts as spreadsheets: what a file may hold, and what it would change."""
