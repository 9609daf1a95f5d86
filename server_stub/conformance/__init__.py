"""Does a server keep to docs/http-api.md? Clauses with their text, tried one by one by a device that signs for real."""
