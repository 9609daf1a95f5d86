"""What Alembic runs for every command: on the connection that `storage.schema` opened and locked."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=context.config.attributes.get("metadata"),
    include_object=context.config.attributes.get("include_object"),
    compare_type=True,
    transactional_ddl=False,  # the transaction is the caller's: all steps of a run, or none
)
context.run_migrations()
