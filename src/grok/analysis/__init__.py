"""One network opened, behind `grok.analyze` and `grok.export`; the claims themselves are in `grok.claims`.

arguments     what the command was asked for   subject       the network to open: of a run, or of a file
layouts       other people's names and shapes  weight_files  their files, without running code
splits        their training questions         history       every snapshot of a run
contents      analysis.json and the tables     pictures      which figures there are
claim_figures, history_figures
"""
