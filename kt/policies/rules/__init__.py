"""The rules that ship: one file per subject, data only."""
