"""How fast this project is, beside what others do and what the machine could do: `make bench`."""
