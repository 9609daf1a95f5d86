"""The numbered steps of the verification, one file for each group (records.md, "Verification")."""
