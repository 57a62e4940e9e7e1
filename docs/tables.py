"""Write the table of the claims into docs/analysis.md, from the claims themselves: python docs/tables.py."""

from pathlib import Path

from grok.claims.claim import Claim
from grok.claims.statements import CLAIMS

PAGE = Path(__file__).with_name("analysis.md")
BEGIN, END = "<!-- claims -->\n", "<!-- end of claims -->\n"
HEAD = "| id | § | Claim | the paper | holds from | by which rule |\n|---|---|---|---|---|---|\n"


def row(claim: Claim) -> str:
    """A claim as a row of the table."""
    cells = (claim.id, claim.section, claim.statement, claim.paper.words, claim.criterion, claim.level.why)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def with_table(page: str) -> str:
    """The page with the table of the claims, and how many they are, between its two marks."""
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    table = HEAD + "".join(map(row, CLAIMS))
    return f"{before}{BEGIN}{len(CLAIMS)} claims:\n\n{table}{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text()))
