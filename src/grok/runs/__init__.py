"""One run on disk: its folder, schedule, configuration and provenance, going on with it, what it comes to."""
