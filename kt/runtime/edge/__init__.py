"""HTTP from clients: how one connection is read, answered, bounded and closed."""
