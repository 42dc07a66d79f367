"""How the metadata of an older basegate becomes that of this one: Alembic revisions, oldest first in versions/."""
