"""A network to be opened: of one of our runs, or in somebody else's file."""
