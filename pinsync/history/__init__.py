"""The history of the rules in git: commits, versions of documents, and who last changed a pin."""
