"""What is measured: the evaluation of all pairs, progress measures, spectra, phases, and what each metric means."""
