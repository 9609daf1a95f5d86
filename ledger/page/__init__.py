"""A verification as one HTML page for people: no script, nothing fetched, fit to print (`verify --html`)."""
