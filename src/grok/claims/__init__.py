"""The paper's claims about a trained network, each a pure function of its weights and tables, in float64.

criteria    every claim, the paper's number, and from which value on it holds
anatomy     a one-layer network taken apart at its last position
embedding   W_E and W_L in the Fourier basis          logits      their 2-D spectrum and Σ α cos w(a+b-c)
neurons     polynomials of one frequency              heads       what each attention head does
ablations   losses with parts taken away              algorithm   clock or pizza
training    what came first, and which frequencies lost
findings    all of these numbers of one network       judgements  which claims hold
"""
