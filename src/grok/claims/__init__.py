"""The paper's claims about a trained network, each one function below its statement, and the maths they need.

claim       what a claim is               levels      from which number on it holds
statements  every claim, by topic         judgements  which of them hold for a network
facts       what is known of a network, computed when it is first asked for
anatomy     a one-layer network taken apart at its last position
embedding   W_E and W_L in the Fourier basis          logits      their 2-D spectrum and Σ α cos w(a+b-c)
neurons     polynomials of one frequency              heads       what each attention head does
ablations   losses with parts taken away              algorithm   clock or pizza
training    what came first, and which frequencies lost
"""
