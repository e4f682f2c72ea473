"""The forms of a report: what was found in files, for people, editors and CI systems."""
