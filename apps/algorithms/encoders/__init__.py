"""What turns the text and the poster of a film into a vector. No database, no settings."""
