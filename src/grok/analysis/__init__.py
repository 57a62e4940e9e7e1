"""One network analyzed: what was asked for, its history, and what is said of it."""
