"""Steps of the records' database: plain SQL, because nothing above it is an ORM."""
