"""The databases' forms, one step a file, each both ways (docs/deploy-server.md, "Migrations")."""
