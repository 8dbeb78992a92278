"""The conversations that are kept: a database, what writes into it and what finds them again."""
