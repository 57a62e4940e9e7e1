"""What is learned: operations and their answers, Fourier bases, which pairs are trained on."""
