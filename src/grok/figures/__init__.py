"""Every picture, in one style: of a run, of a network, of its history, of a sweep."""
