"""Two machines, case by case and in one index. Pure."""
