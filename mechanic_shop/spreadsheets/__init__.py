"""Read spreadsheets as they were meant, or say in which cell that is impossible."""
