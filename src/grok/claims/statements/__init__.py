"""The claims of the paper, by topic; each is one function below its statement."""

from grok.claims.claim import claims_in
from grok.claims.statements import ablations, algorithm, attention, embedding, logits, neurons, training

CLAIMS = claims_in([embedding, logits, neurons, attention, ablations, algorithm, training])
