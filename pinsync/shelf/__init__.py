"""What shoppers see: the pins of a rule at a moment."""
