"""Documents: one file's text ⇄ the customizations of a model, each in a block with its comments."""
