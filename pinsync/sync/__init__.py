"""What would become of the other side: files from the shop, a branch's proposal, and the guard against mass removal."""
