"""Steps of the people's database. Each part of the server has a branch of its own, so parts grow independently."""
