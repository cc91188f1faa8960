"""What `apply` would do to the shop: the operations, the rules left alone, and the checksum."""
